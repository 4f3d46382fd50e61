-- A publication that the connector makes for the tables that it captures.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE u (id int PRIMARY KEY, a text);
CREATE TABLE v (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a');
INSERT INTO v VALUES (1, 'a');
--@ streaming
INSERT INTO t VALUES (2, 'b');
INSERT INTO u VALUES (2, 'b');
INSERT INTO v VALUES (2, 'b');
TRUNCATE t;
