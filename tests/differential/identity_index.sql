-- Replica identity by an index that is not the key.
CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int);
CREATE UNIQUE INDEX ti ON t (a);
ALTER TABLE t REPLICA IDENTITY USING INDEX ti;
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
INSERT INTO t VALUES (2, 'b', 2);
UPDATE t SET b = 5 WHERE id = 1;
UPDATE t SET a = 'z' WHERE id = 1;
DELETE FROM t WHERE id = 1;
