-- Stored generated columns that a publication has, all of them or by a list of columns.
--@ postgres 18-
CREATE TABLE t (id int PRIMARY KEY, a int, s int GENERATED ALWAYS AS (a * 2) STORED, v int GENERATED ALWAYS AS (a * 3) VIRTUAL);
CREATE PUBLICATION own FOR ALL TABLES WITH (publish_generated_columns = stored);
INSERT INTO t VALUES (1, 1);
--@ streaming
INSERT INTO t VALUES (2, 2);
UPDATE t SET a = 3 WHERE id = 1;
DELETE FROM t WHERE id = 2;
