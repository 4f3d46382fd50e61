-- Replica identity FULL: whole rows before updates and deletes.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
UPDATE t SET a = 'b' WHERE id = 1;
UPDATE t SET a = a WHERE id = 1;
UPDATE t SET id = 2 WHERE id = 1;
DELETE FROM t WHERE id = 2;
