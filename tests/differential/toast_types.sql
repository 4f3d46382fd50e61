-- Large values of every type that an update leaves alone, in columns that may be null: Debezium stops where it has no placeholder and no null.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE TYPE pair AS (a int, b text);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN long AS text;
CREATE DOMAIN tags AS text[];
CREATE TABLE scalars (id int PRIMARY KEY, n int, varying varchar, fixed char(5000), words text, ci citext, bytes bytea, bits varbit, bits_n bit(32000), number numeric, number_scaled numeric(1000, 2),
    document json, document_b jsonb, markup xml, search tsvector, pairs hstore, tree ltree, numbers numrange, way path, surface polygon, route jsonpath, ranges nummultirange, parts pair, tree_query lquery,
    d_text long, d_tags tags);
CREATE TABLE arrays (id int PRIMARY KEY, n int, small smallint[], whole integer[], big bigint[], single real[], double double precision[], truth boolean[], number oid[], open numeric[], scaled numeric(10, 2)[],
    fixed char(5)[], letter "char"[], varying varchar(10)[], words text[], ci citext[], bytes bytea[], day date[], clock time[], clock_3 time(3)[], clock_zoned timetz[], moment timestamp[], moment_3 timestamp(3)[],
    moment_zoned timestamptz[], identity uuid[], document json[], document_b jsonb[], search tsvector[], address inet[], network cidr[], card macaddr[], label mood[], numbers int4range[], pairs hstore[],
    tree ltree[], lines line[], lsns pg_lsn[]);
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT attrelid::regclass AS t, attname FROM pg_attribute JOIN pg_type y ON y.oid = atttypid
        WHERE attrelid IN ('scalars'::regclass, 'arrays'::regclass) AND attnum > 0 AND attlen = -1 AND typstorage <> 'p'
    LOOP EXECUTE format('ALTER TABLE %s ALTER %I SET STORAGE EXTERNAL', c.t, c.attname); END LOOP;
END $$;
INSERT INTO scalars SELECT 1, 1, x, x, x, x, x::bytea, repeat('101', 20000)::varbit, repeat('10', 16000)::bit(32000), repeat('123', 3000)::numeric, repeat('123', 300)::numeric,
    to_json(x), to_jsonb(x), ('<a>' || x || '</a>')::xml, array_to_tsvector(string_to_array(dots, '.')), hstore('k', x), dots::ltree, numrange(0, repeat('123', 3000)::numeric),
    ('[' || points || ']')::path, ('(' || points || ')')::polygon, ('$.a' || replace(dots, '.', '.a'))::jsonpath, nummultirange(numrange(0, repeat('123', 3000)::numeric)), ROW(1, x)::pair, dots::lquery, x, ARRAY[x]
    FROM (SELECT string_agg(md5(i::text), '') AS x, string_agg(md5(i::text), '.') AS dots FROM generate_series(1, 90) i) AS texts,
        (SELECT string_agg('(' || i || ',1)', ',') AS points FROM generate_series(1, 300) i) AS figures;
INSERT INTO arrays SELECT 1, 1, array_fill(7::smallint, n), array_fill(7, n), array_fill(7::bigint, n), array_fill(1.5::real, n), array_fill(1.5::float8, n), array_fill(true, ARRAY[5000]), array_fill(7::oid, n),
    array_fill(1.5::numeric, n), array_fill(1.5::numeric, n), array_fill('ab'::char(5), n), array_fill('x'::"char", ARRAY[5000]), array_fill('v'::varchar, n), array_fill('w'::text, n), array_fill('c'::citext, n),
    array_fill('\x01'::bytea, n), array_fill('2024-02-29'::date, n), array_fill('13:14:15'::time, n), array_fill('13:14:15'::time, n), array_fill('13:14:15+02'::timetz, n), array_fill('2024-02-29'::timestamp, n),
    array_fill('2024-02-29'::timestamp, n), array_fill('2024-02-29 00:00+00'::timestamptz, n), array_fill('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, n), array_fill('{}'::json, n), array_fill('{}'::jsonb, n),
    array_fill('a'::tsvector, n), array_fill('::1'::inet, n), array_fill('10.0.0.0/8'::cidr, n), array_fill('08:00:2b:01:02:03'::macaddr, n), array_fill('ok'::mood, n), array_fill('[1,2)'::int4range, n),
    array_fill('a=>1'::hstore, n), array_fill('a'::ltree, n), array_fill('{1,2,3}'::line, n), array_fill('0/1'::pg_lsn, n)
    FROM (VALUES (ARRAY[1300])) AS length (n);
--@ streaming
UPDATE scalars SET n = 2;
UPDATE arrays SET n = 2;
