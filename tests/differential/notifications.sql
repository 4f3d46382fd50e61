-- Notifications of the initial snapshot, of empty tables too, and of a start without one.
CREATE TABLE b (id int PRIMARY KEY);
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE empty (id int PRIMARY KEY);
CREATE SCHEMA other;
CREATE TABLE other.z (id int PRIMARY KEY);
CREATE TABLE other.y (id int);
CREATE TABLE one (id int PRIMARY KEY);
INSERT INTO a SELECT generate_series(1, 3);
INSERT INTO b VALUES (1), (2);
INSERT INTO other.z VALUES (1);
INSERT INTO one VALUES (1);
--@ streaming
INSERT INTO a VALUES (4);
--@ stopped
INSERT INTO a VALUES (5);
