-- Keys with columns that are left out of the value.
CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b text);
CREATE TABLE u (id int PRIMARY KEY, a text NOT NULL, b text);
ALTER TABLE u REPLICA IDENTITY FULL;
INSERT INTO t VALUES (1, 'a', 'b');
INSERT INTO u VALUES (1, 'a', 'b');
--@ streaming
INSERT INTO t VALUES (2, 'a', 'b');
UPDATE t SET id = 3 WHERE id = 2;
DELETE FROM t WHERE id = 1;
UPDATE u SET a = 'c';
DELETE FROM u;
