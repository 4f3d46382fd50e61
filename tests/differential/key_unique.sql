-- A table without a key, but with a unique column that is not null.
CREATE TABLE t (a text NOT NULL UNIQUE, b int);
INSERT INTO t VALUES ('a', 1);
--@ streaming
INSERT INTO t VALUES ('b', 2);
