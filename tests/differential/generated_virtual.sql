-- Generated columns, one stored and one virtual.
--@ postgres 18-
CREATE TABLE t (id int PRIMARY KEY, a int, s int GENERATED ALWAYS AS (a * 2) STORED, v int GENERATED ALWAYS AS (a * 3) VIRTUAL);
INSERT INTO t VALUES (1, 1);
--@ streaming
INSERT INTO t VALUES (2, 2);
UPDATE t SET a = 3 WHERE id = 1;
DELETE FROM t WHERE id = 2;
