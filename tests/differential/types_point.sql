-- Points.
CREATE TABLE t (
    id int PRIMARY KEY,
    v point
);
INSERT INTO t VALUES (1, '(1.5,-2.5)');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '(0,0)');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
