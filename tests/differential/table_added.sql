-- A table that is made while the connectors run.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
--@ streaming
CREATE TABLE u (id int PRIMARY KEY, x text);
INSERT INTO u VALUES (1, 'x');
INSERT INTO t VALUES (1, 'a', 1);
