-- Domains.
CREATE DOMAIN posint AS integer CHECK (value > 0);
CREATE DOMAIN price AS numeric(8, 2);
CREATE DOMAIN short AS varchar(5);
CREATE DOMAIN nested AS posint;
CREATE TABLE t (
    id int PRIMARY KEY,
    n posint,
    m price,
    z short,
    o nested
);
INSERT INTO t VALUES (1, 7, 12345.67, 'ab', 8);
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
