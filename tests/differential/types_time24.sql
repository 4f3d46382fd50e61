-- The end of the day.
CREATE TABLE t (
    id int PRIMARY KEY,
    v time
);
INSERT INTO t VALUES (1, '24:00');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
