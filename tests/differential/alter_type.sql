-- A type that changes so that readers of the old schema cannot read the new.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
ALTER TABLE t ALTER COLUMN b TYPE numeric(10, 2);
INSERT INTO t VALUES (2, 'b', 12.5);
