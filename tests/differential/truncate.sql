-- TRUNCATE of one table and of several.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t (id));
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
TRUNCATE t, u;
INSERT INTO t VALUES (5, 'e', 5);
TRUNCATE t RESTART IDENTITY CASCADE;
INSERT INTO t VALUES (6, 'f', 6);
