-- A replica identity that changes while streaming.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
UPDATE t SET a = 'b' WHERE id = 1;
--@ streaming
ALTER TABLE t REPLICA IDENTITY FULL;
UPDATE t SET a = 'c' WHERE id = 1;
--@ streaming
ALTER TABLE t REPLICA IDENTITY DEFAULT;
DELETE FROM t WHERE id = 1;
