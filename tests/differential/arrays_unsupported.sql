-- Arrays that Debezium drops.
CREATE TABLE t (
    id int PRIMARY KEY,
    n int,
    i interval[],
    m money[]
);
INSERT INTO t VALUES (1, 1, '{1 day}', '{1.50}');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
