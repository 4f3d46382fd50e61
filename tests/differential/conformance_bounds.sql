-- The ends of the range of timestamps, in a row and in the row before its delete.
CREATE TABLE t (id int PRIMARY KEY, v timestamp, z timestamptz);
ALTER TABLE t REPLICA IDENTITY FULL;
--@ streaming
INSERT INTO t VALUES (1, '294247-01-01 23:59:59.999999', '2000-01-01 00:00:00+00'), (2, '4713-12-31 23:59:59.999999 BC', NULL),
    (3, 'infinity', 'infinity'), (4, '-infinity', '-infinity');
DELETE FROM t WHERE id = 1;
