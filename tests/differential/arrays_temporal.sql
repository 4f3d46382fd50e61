-- Arrays of dates and timestamps.
CREATE TABLE t (
    id int PRIMARY KEY,
    d date[],
    ts timestamp[],
    tz timestamptz[]
);
INSERT INTO t VALUES (1, '{2024-02-29,1999-12-31}', '{"2024-02-29 13:14:15.123456"}', '{"2024-02-29 13:14:15.123456+02"}');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
