-- Arrays of numerics.
CREATE TABLE t (
    id int PRIMARY KEY,
    n numeric(10, 2)[],
    m numeric[]
);
INSERT INTO t VALUES (1, '{1.10,NULL,22.22}', '{1.5,2.25}');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
