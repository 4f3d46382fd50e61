-- What a snapshot mode made of flags reads, at the first start and at the next.
CREATE TABLE t (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a'), (2, 'b');
--@ streaming
INSERT INTO t VALUES (3, 'c');
--@ stopped
INSERT INTO t VALUES (4, 'd');
