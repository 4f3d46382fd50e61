-- A timestamp so far ahead that microseconds since 1970 do not fit.
CREATE TABLE t (
    id int PRIMARY KEY,
    t timestamp
);
INSERT INTO t VALUES (1, '294247-01-10 04:00:54.775807');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '294276-12-31 23:59:59.999999');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
