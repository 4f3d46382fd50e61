-- Tables that inherit.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
CREATE TABLE u (c text, PRIMARY KEY (id)) INHERITS (t);
INSERT INTO t VALUES (1, 'a', 1);
INSERT INTO u VALUES (2, 'b', 2, 'c');
--@ streaming
INSERT INTO t VALUES (3, 'a', 1);
INSERT INTO u VALUES (4, 'b', 2, 'c');
UPDATE t SET a = 'x';
