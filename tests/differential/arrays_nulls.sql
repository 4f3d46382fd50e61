-- Arrays with nulls in them where Debezium has no place for one, and vectors of the catalog that are empty.
CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, tree ltree[], search tsvector[], label mood[], vectors int2vector[], vector oidvector, clock timetz[]);
INSERT INTO t VALUES (1, '{a,NULL}', '{a,NULL}', '{ok,NULL}', '{"1 2",NULL}', '', '{24:00:00+00,NULL,23:59:59.999999-05}');
INSERT INTO t VALUES (2, '{NULL}', '{a}', '{ok}', '{"1 2","3"}', '1', '{00:00:00.5+00}');
--@ streaming
INSERT INTO t VALUES (11, '{a,NULL}', '{a,NULL}', '{ok,NULL}', '{"1 2",NULL}', '', '{24:00:00+05,NULL}');
INSERT INTO t VALUES (12, '{}', '{}', '{}', '{}', NULL, '{}');
