-- Dates before the Gregorian calendar.
CREATE TABLE t (
    id int PRIMARY KEY,
    d date,
    t timestamp,
    z timestamptz
);
INSERT INTO t VALUES (1, '1582-10-10', '1582-10-10 12:00:00', '1582-10-10 12:00:00+00');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '0001-01-01', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
