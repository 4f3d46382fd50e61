-- Dates before Christ.
CREATE TABLE t (
    id int PRIMARY KEY,
    d date,
    t timestamp
);
INSERT INTO t VALUES (1, '0044-03-15 BC', '0044-03-15 12:00:00 BC');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '0001-01-01 BC', '0001-12-31 23:59:59.999999 BC');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
