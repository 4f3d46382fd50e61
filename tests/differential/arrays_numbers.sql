-- Arrays of numbers and booleans.
CREATE TABLE t (
    id int PRIMARY KEY,
    a2 smallint[],
    a4 integer[],
    a8 bigint[],
    r4 real[],
    r8 double precision[],
    b boolean[]
);
INSERT INTO t VALUES (1, '{1,-2}', '{1,NULL,3}', '{1,9223372036854775807}', '{1.5,-2.5}', '{1.5,NaN}', '{t,f,NULL}');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '{}', '{}', '{}', '{}', '{}', '{}');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
