-- A snapshot whose last table is empty.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
CREATE TABLE u (id int PRIMARY KEY, x text);
INSERT INTO t SELECT i, 'a', i FROM generate_series(1, 3) i;
