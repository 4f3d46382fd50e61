-- Columns that come and go while the connectors are stopped.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t VALUES (1, 'a', 1);
--@ stopped
INSERT INTO t VALUES (2, 'b', 2);
ALTER TABLE t ADD COLUMN c text;
INSERT INTO t VALUES (3, 'c', 3, 'cc');
ALTER TABLE t DROP COLUMN b;
INSERT INTO t VALUES (4, 'd', 'dd');
