-- A composite type.
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (
    id int PRIMARY KEY,
    n int,
    v pair
);
INSERT INTO t VALUES (1, 1, '(7,"x y")');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
