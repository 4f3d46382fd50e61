-- A publication that lists columns and filters rows.
--@ postgres 15-
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
CREATE TABLE u (id int PRIMARY KEY, a int);
CREATE PUBLICATION own FOR TABLE t (id, a), TABLE u WHERE (id > 10), TABLE differential.marker;
INSERT INTO t VALUES (1, 'a', 'b');
INSERT INTO u VALUES (1, 1), (11, 11);
--@ streaming
INSERT INTO t VALUES (2, 'a', 'b');
UPDATE t SET b = 'c' WHERE id = 1;
INSERT INTO u VALUES (2, 2), (12, 12);
UPDATE u SET id = 13 WHERE id = 2;
UPDATE u SET id = 3 WHERE id = 12;
DELETE FROM u WHERE id IN (1, 11);
DELETE FROM t WHERE id = 2;
