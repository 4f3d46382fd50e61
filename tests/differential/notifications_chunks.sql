-- Notifications of a table that several threads read.
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
