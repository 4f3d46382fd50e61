-- Boxes, lines, paths and polygons.
CREATE TABLE t (
    id int PRIMARY KEY,
    s lseg,
    b box,
    p path,
    g polygon
);
INSERT INTO t VALUES (1, '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, NULL, NULL, '((0,0),(1,1),(2,0))', NULL);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
