-- Arrays of an enum.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (
    id int PRIMARY KEY,
    v mood[]
);
INSERT INTO t VALUES (1, '{sad,happy}');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '{}');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
