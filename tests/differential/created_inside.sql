-- A table that is made, filled and emptied within one transaction.
CREATE TABLE t (id int PRIMARY KEY, a text);
--@ streaming
BEGIN;
INSERT INTO t VALUES (1, 'a');
CREATE TABLE u (id int PRIMARY KEY, x text);
INSERT INTO u VALUES (1, 'x'), (2, 'y');
UPDATE u SET id = 3 WHERE id = 2;
INSERT INTO t VALUES (2, 'b');
COMMIT;
BEGIN;
CREATE TABLE v (id int PRIMARY KEY);
INSERT INTO v VALUES (1);
DROP TABLE v;
INSERT INTO t VALUES (3, 'c');
COMMIT;
