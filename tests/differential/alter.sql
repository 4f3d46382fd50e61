-- Columns that come, go, change their names and types while rows flow.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
INSERT INTO t VALUES (2, 'b', 2);
--@ streaming
ALTER TABLE t ADD COLUMN c text;
UPDATE t SET c = 'c' WHERE id = 2;
INSERT INTO t VALUES (3, 'c', 3, 'cc');
--@ streaming
ALTER TABLE t ADD COLUMN d int NOT NULL DEFAULT 7;
INSERT INTO t VALUES (4, 'd', 4, 'dd');
UPDATE t SET a = 'x' WHERE id = 1;
--@ streaming
ALTER TABLE t RENAME COLUMN a TO aa;
INSERT INTO t VALUES (5, 'e', 5, 'ee', 9);
--@ streaming
ALTER TABLE t DROP COLUMN b;
INSERT INTO t VALUES (6, 'f', 'ff', 10);
--@ streaming
ALTER TABLE t ALTER COLUMN d TYPE bigint;
INSERT INTO t VALUES (7, 'g', 'gg', 11);
