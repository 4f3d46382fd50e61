-- The internal type name.
CREATE TABLE t (
    id int PRIMARY KEY,
    c_name name
);
INSERT INTO t VALUES (1, 'a_name');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
