-- Booleans, integers, floats, oid, and one row with their extremes.
CREATE TABLE t (
    id int PRIMARY KEY,
    c_bool boolean,
    c_small smallint,
    c_int integer,
    c_big bigint,
    c_real real,
    c_double double precision,
    c_oid oid
);
INSERT INTO t VALUES (1, true, -32768, 2147483647, 9223372036854775807, 3.14, 2.718281828459045, 4294967295);
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, false, 32767, -2147483648, -9223372036854775808, 'Infinity', '-Infinity', 0);
INSERT INTO t VALUES (4, NULL, 0, 0, 0, 'NaN', 'NaN', 1);
INSERT INTO t VALUES (5, true, 1, 1, 1, 1e-45, 5e-324, 1);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
