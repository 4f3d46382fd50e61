-- A change of the primary key: delete, tombstone, create, with headers that link them.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
UPDATE t SET id = 2 WHERE id = 1;
UPDATE t SET id = 3, a = 'zz' WHERE id = 2;
