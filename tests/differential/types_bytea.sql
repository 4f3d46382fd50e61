-- Bytes.
CREATE TABLE t (
    id int PRIMARY KEY,
    v bytea
);
INSERT INTO t VALUES (1, '\xdeadbeef00ff');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '\x');
INSERT INTO t VALUES (4, '\xfbff');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
