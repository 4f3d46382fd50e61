-- Keys that come and go under replica identity FULL: without one, key and tombstones are missing.
CREATE TABLE t (id int PRIMARY KEY, a text);
ALTER TABLE t REPLICA IDENTITY FULL;
--@ streaming
INSERT INTO t VALUES (1, 'a');
UPDATE t SET a = 'b';
--@ streaming
ALTER TABLE t DROP CONSTRAINT t_pkey;
UPDATE t SET a = 'c';
DELETE FROM t;
