-- Dates, times and timestamps of every precision.
CREATE TABLE t (
    id int PRIMARY KEY,
    c_date date,
    c_time time,
    c_time0 time(0),
    c_time3 time(3),
    c_ts timestamp,
    c_ts0 timestamp(0),
    c_ts3 timestamp(3),
    c_ts6 timestamp(6),
    c_tstz timestamptz,
    c_tstz0 timestamptz(0),
    c_tstz3 timestamptz(3)
);
INSERT INTO t VALUES (1, '2024-02-29', '13:14:15.123456', '13:14:15', '13:14:15.123', '2024-02-29 13:14:15.123456', '2024-02-29 13:14:15', '2024-02-29 13:14:15.123', '2024-02-29 13:14:15.123456', '2024-02-29 13:14:15.123456+02', '2024-02-29 13:14:15+02', '2024-02-29 13:14:15.123+02');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '1969-12-31', '00:00', '00:00', '00:00', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59', '1969-12-31 23:59:59.999', '1700-01-01 00:00:00', '1969-12-31 23:59:59.999999+00', '1970-01-01 00:00:00+14', '1970-01-01 00:00:00.1+00');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
