-- A table with a key only, and one whose columns are all NULL.
CREATE TABLE t (id int PRIMARY KEY);
CREATE TABLE u (a int, b text);
INSERT INTO t VALUES (1);
INSERT INTO u VALUES (NULL, NULL);
--@ streaming
INSERT INTO t VALUES (2);
UPDATE t SET id = id;
INSERT INTO u VALUES (NULL, NULL);
