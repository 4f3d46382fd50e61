-- Intervals without end.
--@ postgres 17-
CREATE TABLE t (id int PRIMARY KEY, v interval, d interval NOT NULL DEFAULT 'infinity');
INSERT INTO t (id, v) VALUES (1, 'infinity'), (2, '-infinity');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
