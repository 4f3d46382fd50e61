-- Ranges, with the text that they must have.
CREATE TABLE t (id int PRIMARY KEY, ts tsrange, d daterange, b int8range);
--@ streaming
INSERT INTO t VALUES (1, '[2019-03-31 15:30:00, infinity)', '[2019-03-31,2019-04-29]', '[1000000,6000000)');
