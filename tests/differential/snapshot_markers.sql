-- The places of rows in a snapshot: first, last, and those of each table.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
CREATE TABLE u (id int PRIMARY KEY, x text);
CREATE TABLE w (id int PRIMARY KEY);
INSERT INTO t SELECT i, 'a', i FROM generate_series(1, 3) i;
INSERT INTO u VALUES (1, 'u'), (2, 'v');
INSERT INTO w VALUES (1);
