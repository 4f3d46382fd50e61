-- A generated column.
CREATE TABLE t (id int PRIMARY KEY, a int, g int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO t VALUES (1, 1);
--@ streaming
INSERT INTO t VALUES (2, 2);
UPDATE t SET a = 3 WHERE id = 1;
