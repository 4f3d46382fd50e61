-- Timestamps with a zone before Christ.
CREATE TABLE t (
    id int PRIMARY KEY,
    z timestamptz
);
INSERT INTO t VALUES (1, '0044-03-15 12:00:00+00 BC');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
