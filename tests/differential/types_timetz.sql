-- Times with a zone.
CREATE TABLE t (
    id int PRIMARY KEY,
    v timetz,
    w timetz(0)
);
INSERT INTO t VALUES (1, '13:14:15.123456+02', '13:14:15-03:30');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '00:00:00+00', '23:59:59+00');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
