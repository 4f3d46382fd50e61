-- Connectors that are stopped before they stream anything.
CREATE TABLE t (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a');
--@ stopped
INSERT INTO t VALUES (2, 'b');
UPDATE t SET a = 'c';
--@ streaming
DELETE FROM t;
