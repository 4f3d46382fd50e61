-- A scale left of the point.
--@ postgres 15-
CREATE TABLE t (
    id int PRIMARY KEY,
    v numeric(3, -2)
);
INSERT INTO t VALUES (1, 12300);
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
