-- Changes that are made while the connectors are stopped.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
INSERT INTO t VALUES (2, 'b', 2);
--@ stopped
INSERT INTO t VALUES (3, 'c', 3);
UPDATE t SET b = 9;
--@ streaming
DELETE FROM t WHERE id = 3;
