-- Arrays of text.
CREATE TABLE t (
    id int PRIMARY KEY,
    t text[],
    v varchar(10)[],
    c char(3)[]
);
INSERT INTO t VALUES (1, '{"a",NULL,"b,c","d\"e","NULL",""}', '{"x","yy"}', '{"a"}');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '{}', '{}', '{}');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
