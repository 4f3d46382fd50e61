-- Intervals.
CREATE TABLE t (
    id int PRIMARY KEY,
    v interval
);
INSERT INTO t VALUES (1, '1 year 2 months 3 days 04:05:06.789');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '-1 months -2 days -00:00:00.000001');
INSERT INTO t VALUES (4, '0');
INSERT INTO t VALUES (5, '178000000 years');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
