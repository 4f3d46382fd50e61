-- A primary key that is replaced.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, a);
INSERT INTO t VALUES (2, 'b', 2);
UPDATE t SET b = 3 WHERE id = 2;
UPDATE t SET a = 'c' WHERE id = 2;
