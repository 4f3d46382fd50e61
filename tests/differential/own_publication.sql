-- Publications that were made beforehand and publish more than is captured.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE hidden (id int PRIMARY KEY);
CREATE PUBLICATION own FOR ALL TABLES;
INSERT INTO t VALUES (1, 'a');
--@ streaming
INSERT INTO t VALUES (2, 'b');
UPDATE t SET a = 'c' WHERE id = 2;
INSERT INTO t VALUES (3, 'd');
INSERT INTO hidden VALUES (1);
INSERT INTO t VALUES (4, 'e');
TRUNCATE hidden;
INSERT INTO t VALUES (5, 'f');
BEGIN;
UPDATE t SET a = 'g' WHERE id = 2;
INSERT INTO hidden VALUES (2);
TRUNCATE hidden;
COMMIT;
DELETE FROM t WHERE id = 5;
UPDATE t SET id = 9 WHERE id = 2;
