-- A column that may not be null any more, while a row with a null was not read yet.
CREATE TABLE t (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a');
--@ stopped
INSERT INTO t VALUES (2, NULL);
DELETE FROM t WHERE id = 2;
ALTER TABLE t ALTER a SET NOT NULL;
INSERT INTO t VALUES (3, 'c');
