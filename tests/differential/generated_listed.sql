-- A stored generated column that a publication lists.
--@ postgres 18-
CREATE TABLE t (id int PRIMARY KEY, a int, b text, s int GENERATED ALWAYS AS (a * 2) STORED);
CREATE PUBLICATION own FOR TABLE t (id, a, s), TABLE differential.marker;
INSERT INTO t VALUES (1, 1, 'b');
--@ streaming
INSERT INTO t VALUES (2, 2, 'b');
UPDATE t SET a = 3 WHERE id = 1;
DELETE FROM t WHERE id = 2;
