-- A table without a key.
CREATE TABLE t (a text, b int);
INSERT INTO t VALUES ('a', 1);
--@ streaming
INSERT INTO t VALUES ('b', 2);
--@ streaming
ALTER TABLE t REPLICA IDENTITY FULL;
UPDATE t SET b = 5 WHERE a = 'a';
DELETE FROM t WHERE a = 'a';
