-- Numbers that are none, in modes that can say so.
CREATE TABLE t (
    id int PRIMARY KEY,
    v numeric,
    w numeric(10, 2)
);
INSERT INTO t VALUES (1, 'NaN', 'NaN');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, 'Infinity', NULL);
INSERT INTO t VALUES (4, '-Infinity', NULL);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
