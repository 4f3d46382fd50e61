-- Replica identity NOTHING: inserts only.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
ALTER TABLE t REPLICA IDENTITY NOTHING;
INSERT INTO t VALUES (1, 'a', 1);
--@ streaming
INSERT INTO t VALUES (2, 'b', 2);
