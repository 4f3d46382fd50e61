-- Timestamps and times with a zone, with the text that they must have.
CREATE TABLE t (id int PRIMARY KEY, z timestamptz, far timestamptz, whole timestamptz, bc timestamptz, tz timetz, tz0 timetz(0),
    tzs timetz[]);
--@ streaming
INSERT INTO t VALUES (1, '2016-11-04 13:51:30.123456+02', '21016-11-04 13:51:30.123456+07', '21016-11-04 13:51:30+07',
    '4714-12-31 23:59:59.999999+00 BC', '13:51:30.123789+02', '23:59:59.999999+00', '{13:51:30.123789+02,NULL}');
