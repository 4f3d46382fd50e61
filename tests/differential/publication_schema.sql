-- A publication of whole schemas, to which tables come.
--@ postgres 15-
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE PUBLICATION own FOR TABLES IN SCHEMA public, differential;
INSERT INTO t VALUES (1, 'a');
--@ streaming
INSERT INTO t VALUES (2, 'b');
CREATE TABLE u (id int PRIMARY KEY, a text);
INSERT INTO u VALUES (1, 'a');
--@ streaming
UPDATE u SET a = 'b';
DELETE FROM t WHERE id = 1;
