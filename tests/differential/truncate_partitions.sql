-- TRUNCATE of partitioned and inherited tables, with sequences and in one transaction with rows.
CREATE TABLE p (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE s (id serial PRIMARY KEY, a text);
CREATE TABLE r (id int PRIMARY KEY, s int REFERENCES s (id));
--@ streaming
INSERT INTO p VALUES (1, 'a'), (11, 'b');
TRUNCATE p1;
TRUNCATE p;
INSERT INTO child VALUES (1);
TRUNCATE parent;
TRUNCATE ONLY parent;
BEGIN;
INSERT INTO s (a) VALUES ('x');
TRUNCATE s, p RESTART IDENTITY CASCADE;
INSERT INTO s (a) VALUES ('y');
COMMIT;
