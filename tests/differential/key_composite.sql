-- A key of several columns, in the order of the key.
CREATE TABLE t (b int, a text, v text, PRIMARY KEY (a, b));
INSERT INTO t VALUES (1, 'x', 'v');
--@ streaming
INSERT INTO t VALUES (2, 'y', 'w');
UPDATE t SET v = 'q' WHERE a = 'y';
UPDATE t SET b = 3 WHERE a = 'y';
DELETE FROM t WHERE a = 'y';
