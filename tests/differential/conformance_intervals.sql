-- An interval of every part.
CREATE TABLE t (id int PRIMARY KEY, v interval);
--@ streaming
INSERT INTO t VALUES (1, '1 year 2 months 3 days 4 hours 5 minutes 6.78 seconds');
