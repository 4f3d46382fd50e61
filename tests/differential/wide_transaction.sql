-- A transaction with a thousand rows.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
--@ streaming
INSERT INTO t SELECT i, 'row ' || i, i FROM generate_series(1, 1000) i;
UPDATE t SET b = b + 1;
