-- Deletes and their tombstones.
CREATE TABLE t (id int PRIMARY KEY, a text);
--@ streaming
INSERT INTO t VALUES (1, 'a'), (2, 'b');
DELETE FROM t WHERE id = 1;
DELETE FROM t WHERE id = 2;
