-- Masks on keys, on columns that are not text, on domains, enums and arrays, with defaults, and on large values that did not change.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN short AS varchar(7);
CREATE TABLE t (k text PRIMARY KEY, i int, j json, u uuid DEFAULT '00000000-0000-0000-0000-000000000001', m mood, s short, c char(5), n name, a text[], d text NOT NULL DEFAULT 'a default',
    nn varchar(5) NOT NULL, o varchar(9) DEFAULT 'optional', b bytea, large text, num numeric(8, 3), ts timestamptz);
ALTER TABLE t ALTER large SET STORAGE EXTERNAL;
INSERT INTO t VALUES ('one', 1, '{"a": 1}', NULL, 'ok', 'domain', 'char', 'name', '{text,array}', DEFAULT, 'nn', DEFAULT, 'bytes', repeat('large', 1000), 1.5, '2020-01-01 00:00+00');
--@ streaming
INSERT INTO t (k, nn) VALUES ('two', 'x');
UPDATE t SET i = 2 WHERE k = 'one';
UPDATE t SET k = 'three' WHERE k = 'one';
UPDATE t SET o = NULL WHERE k = 'two';
DELETE FROM t WHERE k = 'two';
