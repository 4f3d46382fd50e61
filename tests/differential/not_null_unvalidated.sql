-- A column that may not be null by a constraint that is not validated, while a row has a null.
--@ postgres 18-
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t VALUES (1, NULL, 1), (2, 'b', 2), (3, NULL, NULL);
ALTER TABLE t ADD CONSTRAINT t_a NOT NULL a NOT VALID;
ALTER TABLE t ADD CONSTRAINT t_b NOT NULL b NOT VALID;
--@ streaming
INSERT INTO t VALUES (4, 'd', 4);
UPDATE t SET a = 'a' WHERE id = 1;
DELETE FROM t WHERE id = 3;
