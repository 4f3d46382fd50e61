-- A key by message.key.columns.
CREATE TABLE t (a int, b text, c text);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t VALUES (1, 'x', 'y');
--@ streaming
INSERT INTO t VALUES (2, 'p', 'q');
UPDATE t SET b = 'pp' WHERE a = 2;
DELETE FROM t WHERE a = 1;
