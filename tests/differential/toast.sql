-- Large values that an update leaves alone.
CREATE TABLE t (
    id int PRIMARY KEY, small text, big text, bignn text NOT NULL DEFAULT 'n', bb bytea, arr text[], iarr int[], jb jsonb,
    vc varchar(5000), num numeric
);
ALTER TABLE t
    ALTER big SET STORAGE EXTERNAL, ALTER bignn SET STORAGE EXTERNAL, ALTER bb SET STORAGE EXTERNAL,
    ALTER arr SET STORAGE EXTERNAL, ALTER iarr SET STORAGE EXTERNAL, ALTER jb SET STORAGE EXTERNAL,
    ALTER vc SET STORAGE EXTERNAL;
INSERT INTO t VALUES (1, 's', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), decode((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), 'hex'), ARRAY[(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), 'x'], (SELECT array_agg(i) FROM generate_series(1, 700) i), jsonb_build_object('k', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i)), (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), 1);
--@ streaming
INSERT INTO t VALUES (2, 's', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), decode((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), 'hex'), ARRAY[(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), 'x'], (SELECT array_agg(i) FROM generate_series(1, 700) i), jsonb_build_object('k', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i)), (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 90) i), 1);
UPDATE t SET small = 's2' WHERE id = 2;
UPDATE t SET big = 'short' WHERE id = 2;
UPDATE t SET big = NULL WHERE id = 1;
UPDATE t SET id = 3 WHERE id = 2;
DELETE FROM t WHERE id = 3;
--@ streaming
ALTER TABLE t REPLICA IDENTITY FULL;
UPDATE t SET small = 's3' WHERE id = 1;
