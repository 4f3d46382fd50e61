-- Shapes of PostGIS, with and without a reference system.
--@ extension postgis
CREATE EXTENSION postgis;
CREATE TABLE t (
    id int PRIMARY KEY,
    g geometry,
    p geometry(Point, 4326),
    h geography,
    many geometry[],
    required geometry NOT NULL,
    abroad geography NOT NULL
);
INSERT INTO t VALUES (
    1,
    'LINESTRING(0 0, 1.5 -2)',
    'SRID=4326;POINT(10 20)',
    'SRID=4326;POINT(10 20)',
    ARRAY['POINT(1 1)'::geometry, NULL],
    'SRID=3187;POINT(174.9 -36.7)',
    'POINT(0 0)'
);
INSERT INTO t (id, required, abroad) VALUES (2, 'POINT EMPTY', 'POINT(1 1)');
INSERT INTO t VALUES (3, 'POINT Z (1 2 3)', NULL, 'POLYGON((0 0, 0 1, 1 1, 0 0))', '{}', 'GEOMETRYCOLLECTION EMPTY', 'POINT(2 2)');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
