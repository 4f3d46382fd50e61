-- A partitioned table, through its root and through its leaves.
CREATE TABLE t (id int, a text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20);
INSERT INTO t VALUES (1, 'a'), (11, 'b');
--@ streaming
INSERT INTO t VALUES (2, 'c');
UPDATE t SET id = 12 WHERE id = 2;
DELETE FROM t WHERE id = 1;
