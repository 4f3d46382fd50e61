-- Text of every kind, padding and unicode included.
CREATE TABLE t (
    id int PRIMARY KEY,
    c_char char(5),
    c_one "char",
    c_varchar varchar(20),
    c_open varchar,
    c_text text
);
INSERT INTO t VALUES (1, 'ab', 'x', 'varchar', 'open', 'text é 漢字 😀');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '', '', '', '', '');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
