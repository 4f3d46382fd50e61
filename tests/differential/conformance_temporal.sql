-- Dates, times and timestamps, with the numbers that they must have.
CREATE TABLE t (id int PRIMARY KEY, ts timestamp, ts3 timestamp(3), tneg timestamp, d date, ti time, ti3 time(3), tend time);
--@ streaming
INSERT INTO t VALUES (1, '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.123', '1936-10-25 22:10:12.608', '2016-11-04',
    '13:51:30', '13:51:30.123', '24:00:00');
