-- Arrays of times.
CREATE TABLE t (
    id int PRIMARY KEY,
    v time[],
    w timetz[]
);
INSERT INTO t VALUES (1, '{13:14:15.123456}', '{13:14:15+02}');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
