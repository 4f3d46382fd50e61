-- Arrays and ranges that Debezium has no type for.
CREATE DOMAIN price AS numeric(8, 2);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (id int PRIMARY KEY, n int, m int4multirange, d price[], x xml[], y money[], p point[], i interval[], c pair[], l line, b box[]);
INSERT INTO t VALUES (1, 1, '{[1,3),[5,7)}', '{1.5,NULL}', '{<a/>}', '{1.50}', '{"(1,2)"}', '{1 day}', '{"(1,x)"}', '{1,2,3}', '{(2,2),(0,0)}');
INSERT INTO t (id) VALUES (2);
--@ streaming
INSERT INTO t VALUES (3, 1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', NULL, '{}');
UPDATE t SET n = 2 WHERE id = 1;
DELETE FROM t WHERE id = 1;
