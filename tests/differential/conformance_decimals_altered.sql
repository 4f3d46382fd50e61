-- A numeric column whose precision and scale change: the schema follows at once.
CREATE TABLE t (id int PRIMARY KEY, v numeric(5, 2));
--@ streaming
INSERT INTO t VALUES (1, 123.45);
--@ streaming
ALTER TABLE t ALTER COLUMN v TYPE numeric(6, 1);
INSERT INTO t VALUES (2, 123.41);
--@ streaming
ALTER TABLE t ALTER COLUMN v TYPE numeric;
INSERT INTO t VALUES (3, 123.4567);
--@ streaming
ALTER TABLE t ALTER COLUMN v TYPE numeric(12, 4);
INSERT INTO t VALUES (4, 2.48);
--@ streaming
ALTER TABLE t ALTER COLUMN v TYPE numeric(12);
INSERT INTO t VALUES (5, 1238);
--@ streaming
ALTER TABLE t ALTER COLUMN v TYPE numeric;
INSERT INTO t VALUES (6, 1225.1);
--@ streaming
ALTER TABLE t ALTER COLUMN v SET NOT NULL;
INSERT INTO t VALUES (7, 1976);
