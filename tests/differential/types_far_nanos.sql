-- Timestamps that 64 bits of nanoseconds since 1970 do not hold.
CREATE TABLE t (id int PRIMARY KEY, v timestamp, w timestamp(3));
INSERT INTO t VALUES (1, '2262-04-11 23:47:16.854775', '2262-04-11 23:47:16.855'), (2, '2262-04-11 23:47:16.854776', NULL), (3, '9999-12-31 23:59:59.999999', NULL),
    (4, '1600-01-01 00:00:00.000001', '1600-01-01'), (5, 'infinity', '-infinity'), (6, '1677-09-21 00:12:43.145225', NULL), (7, '1677-09-21 00:12:43.145224', NULL);
--@ streaming
UPDATE t SET id = id + 10;
