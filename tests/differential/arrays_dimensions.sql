-- An array of two dimensions.
CREATE TABLE t (
    id int PRIMARY KEY,
    v integer[][]
);
INSERT INTO t VALUES (1, '{{1,2},{3,4}}');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
