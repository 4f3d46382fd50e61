-- Numbers with 131072 digits before the point, and with 16383 behind it.
CREATE TABLE t (
    id int PRIMARY KEY,
    v numeric
);
INSERT INTO t VALUES (1, ('1' || repeat('0', 131071))::numeric);
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, ('0.' || repeat('0', 16382) || '1')::numeric);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
