-- Every type in every mode, with ordinary values: a row that has all and one that has none. In tables of their own are the arrays
-- that Debezium leaves out or loses, and the types that it does not know. `refcursor` and domains over enums are not
-- here: they stop Debezium.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION isn;
CREATE EXTENSION ltree;
CREATE EXTENSION seg;
CREATE EXTENSION intarray;
CREATE EXTENSION lo;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE DOMAIN posint AS integer CHECK (value > 0);
CREATE DOMAIN price AS numeric(8, 2);
CREATE DOMAIN short AS varchar(5);
CREATE DOMAIN moment AS timestamp(3);
CREATE DOMAIN digest AS bytea;
CREATE DOMAIN amount AS money;
CREATE DOMAIN span AS interval;
CREATE DOMAIN pairs AS hstore;
CREATE DOMAIN shorter AS short;
CREATE DOMAIN tags AS text[];
CREATE TABLE scalars (id int PRIMARY KEY, small smallint, whole integer, big bigint, single real, double double precision, truth boolean, number oid,
    numeric_open numeric, numeric_scaled numeric(10, 2), numeric_whole numeric(10), sum money, character char(5), letter "char", varying varchar(10), varying_open varchar,
    words text, word name, words_ci citext, bytes bytea, bit_one bit, bits bit(10), bits_varying varbit(10), bits_open varbit,
    day date, clock time, clock_3 time(3), clock_0 time(0), clock_zoned timetz, clock_zoned_0 timetz(0), moment_open timestamp, moment_3 timestamp(3), moment_0 timestamp(0),
    moment_zoned timestamptz, moment_zoned_3 timestamptz(3), span_open interval, span_months interval year to month,
    identity uuid, document json, document_b jsonb, markup xml, search tsvector, address inet, network cidr, card macaddr, card_8 macaddr8, place point, label mood,
    integers int4range, bigs int8range, numerics numrange, moments tsrange, moments_zoned tstzrange, days daterange, pairs_open hstore, tree ltree, book isbn,
    d_integer posint, d_numeric price, d_text short, d_moment moment, d_bytes digest, d_sum amount, d_span span, d_pairs pairs, d_nested shorter, d_list tags, object lo);
INSERT INTO scalars VALUES (1, -7, 7, 7000000000, 1.5, -2.25, true, 4000000000, 1234.5678, 12345.67, 1234567890, 1234.56, 'ab', 'x', 'varying', 'open',
    'text é 漢字 😀', 'a_name', 'CiText', '\xdeadbeef00ff', B'1', B'1011001110', B'101', B'110011001100',
    '2024-02-29', '13:14:15.123456', '13:14:15.123', '13:14:15', '13:14:15.123456+02', '13:14:15-03:30', '2024-02-29 13:14:15.123456', '2024-02-29 13:14:15.123', '2024-02-29 13:14:15',
    '2024-02-29 13:14:15.123456+02', '2024-02-29 13:14:15.123+02', '1 year 2 months 3 days 04:05:06.789', '1 year 2 months',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1,  "b":[true,null]}', '{"b":[true,null],"a":1.50}', '<r a="1"><b/></r>', 'fat:2 cat:3A', '192.168.1.5/24', '10.1.0.0/16',
    '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '(1.5,-2.5)', 'ok', '[1,10)', '[1,10)', '[1.5,2.5]', '[2024-01-01,2024-01-02)', '[2024-01-01 00:00+00,2024-01-02 00:00+00)',
    '[2024-01-01,2024-02-01)', 'a=>1, b=>NULL', 'Top.Science', '978-0-393-04002-9',
    8, 12345.67, 'short', '2024-02-29 13:14:15.123', '\x00ff', 12.34, '2 days', 'k=>v', 'nest', '{a,NULL}', 16384);
INSERT INTO scalars (id) VALUES (2);
CREATE TABLE arrays (id int PRIMARY KEY, small smallint[], whole integer[], big bigint[], single real[], double double precision[], truth boolean[], number oid[],
    numeric_open numeric[], numeric_scaled numeric(10, 2)[], character char(5)[], letter "char"[], varying varchar(10)[], words text[], words_ci citext[], bytes bytea[],
    day date[], clock time[], clock_3 time(3)[], clock_zoned timetz[], moment_open timestamp[], moment_3 timestamp(3)[], moment_zoned timestamptz[],
    identity uuid[], document json[], document_b jsonb[], search tsvector[], address inet[], network cidr[], card macaddr[], card_8 macaddr8[], label mood[],
    integers int4range[], bigs int8range[], numerics numrange[], moments tsrange[], moments_zoned tstzrange[], days daterange[], pairs_open hstore[], tree ltree[]);
INSERT INTO arrays VALUES (1, '{-7,NULL}', '{7,NULL}', '{7000000000,NULL}', '{1.5,NULL}', '{-2.25,NULL}', '{t,NULL,f}', '{4000000000,NULL}',
    '{1234.5678,NULL}', '{12345.67,NULL}', '{ab,NULL}', '{x,NULL}', '{varying,NULL}', '{"text é 漢字 😀",NULL,""}', '{CiText,NULL}', '{"\\xdeadbeef00ff",NULL}',
    '{2024-02-29,NULL}', '{13:14:15.123456,NULL}', '{13:14:15.123,NULL}', '{13:14:15.123456+02,NULL}', '{"2024-02-29 13:14:15.123456",NULL}', '{"2024-02-29 13:14:15.123",NULL}', '{"2024-02-29 13:14:15.123456+02",NULL}',
    '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}', '{"{\"a\": 1}",NULL}', '{"{\"a\": 1}",NULL}', '{fat:2,cat:3A}', '{192.168.1.5/24,NULL}', '{10.1.0.0/16,NULL}', '{08:00:2b:01:02:03,NULL}', '{08:00:2b:01:02:03:04:05,NULL}', '{ok,sad}',
    '{"[1,10)",NULL}', '{"[1,10)",NULL}', '{"[1.5,2.5]",NULL}', '{"[2024-01-01,2024-01-02)",NULL}', '{"[2024-01-01 00:00+00,2024-01-02 00:00+00)",NULL}', '{"[2024-01-01,2024-02-01)",NULL}', '{"a=>1, b=>NULL",NULL}', '{Top.Science,Top}');
INSERT INTO arrays (id) VALUES (2);
CREATE TABLE dropped (id int PRIMARY KEY, sum money[], word name[], span interval[], bit_list bit[], bit_10_list bit(10)[], varying varbit(10)[], markup xml[], place point[], prices price[]);
INSERT INTO dropped VALUES (1, '{12.34,NULL}', '{a_name,NULL}', '{2 days,NULL}', '{1,NULL}', '{1011001110,NULL}', '{101,NULL}', '{<a/>,NULL}', '{"(1.5,-2.5)",NULL}', '{12345.67}');
INSERT INTO dropped (id) VALUES (2);
CREATE TABLE unknown (id int PRIMARY KEY, straight line, segment lseg, corners box, way path, closed path, surface polygon, round circle, parts pair, query tsquery, log_place pg_lsn, ids txid_snapshot,
    ids_new pg_snapshot, trans xid, trans_8 xid8, command cid, place tid, route jsonpath, smalls int2vector, numbers oidvector, rights aclitem,
    integers int4multirange, bigs int8multirange, numerics nummultirange, moments tsmultirange, moments_zoned tstzmultirange, days datemultirange,
    own floats, own_many floats_multirange, ean ean13, book isbn13, music ismn, music_13 ismn13, serial issn, serial_13 issn13, product upc,
    tree_query lquery, tree_text ltxtquery, bounds seg, integer_query query_int, straight_list line[], segment_list lseg[], corners_list box[],
    way_list path[], surface_list polygon[], round_list circle[], parts_list pair[], query_list tsquery[], log_place_list pg_lsn[],
    ids_list txid_snapshot[], ids_new_list pg_snapshot[], trans_list xid[], trans_8_list xid8[], command_list cid[], place_list tid[],
    route_list jsonpath[], smalls_list int2vector[], numbers_list oidvector[], integers_list int4multirange[], bigs_list int8multirange[],
    numerics_list nummultirange[], moments_list tsmultirange[], moments_zoned_list tstzmultirange[], days_list datemultirange[], own_list floats[],
    own_many_list floats_multirange[], tree_query_list lquery[], tree_text_list ltxtquery[], cursors refcursor[]) WITH (toast_tuple_target = 8160);
INSERT INTO unknown (id, straight, segment, corners, way, closed, surface, round, parts, query, log_place, ids, ids_new, trans, trans_8, command, place, route, smalls, numbers,
    rights, integers, bigs, numerics, moments, moments_zoned, days, own, own_many, ean, book, music, music_13, serial, serial_13, product, tree_query,
    tree_text, bounds, integer_query) VALUES (1, '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1.5)]', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', '<(1,2),3>',
    '(7,"x y")', 'fox & jump', '16/B374D848', '10:20:10,14', '10:20:10,14', '7', '7000000000', '7', '(1,2)', '$.a[*]',
    '1 2', '3 4', 'postgres=r/postgres',
    '{[1,3),[5,7)}', '{[1,3),[5,7)}', '{[1.5,2.5]}', '{[2024-01-01,2024-01-02)}', '{[2024-01-01 00:00+00,2024-01-02 00:00+00)}', '{[2024-01-01,2024-02-01)}', '[1.5,2.5]', '{[1.5,2.5]}',
    '978-0-393-04002-9', '978-0-393-04002-9', 'M-706700-00-7', '979-0-706700-00-7', '1436-4522', '977-1436-452-00-8', '220356483481', 'Top.*', 'Top & Science', '1.5 .. 2.5', '1 & 2');
UPDATE unknown SET straight_list = ARRAY[straight], segment_list = ARRAY[segment], corners_list = ARRAY[corners], way_list = ARRAY[way], surface_list = ARRAY[surface],
    round_list = ARRAY[round], parts_list = ARRAY[parts], query_list = ARRAY[query], log_place_list = ARRAY[log_place], ids_list = ARRAY[ids],
    ids_new_list = ARRAY[ids_new], trans_list = ARRAY[trans], trans_8_list = ARRAY[trans_8], command_list = ARRAY[command], place_list = ARRAY[place],
    route_list = ARRAY[route], smalls_list = ARRAY[smalls], numbers_list = ARRAY[numbers], integers_list = ARRAY[integers], bigs_list = ARRAY[bigs],
    numerics_list = ARRAY[numerics], moments_list = ARRAY[moments], moments_zoned_list = ARRAY[moments_zoned], days_list = ARRAY[days],
    own_list = ARRAY[own], own_many_list = ARRAY[own_many], tree_query_list = ARRAY[tree_query], tree_text_list = ARRAY[tree_text], cursors = '{portal}';
INSERT INTO unknown (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE scalars_again AS TABLE scalars;
UPDATE scalars_again SET id = id + 10;
INSERT INTO scalars TABLE scalars_again;
UPDATE scalars SET id = id WHERE id = 11;
DELETE FROM scalars WHERE id = 11;
CREATE TEMP TABLE arrays_again AS TABLE arrays;
UPDATE arrays_again SET id = id + 10;
INSERT INTO arrays TABLE arrays_again;
UPDATE arrays SET id = id WHERE id = 11;
DELETE FROM arrays WHERE id = 11;
CREATE TEMP TABLE dropped_again AS TABLE dropped;
UPDATE dropped_again SET id = id + 10;
INSERT INTO dropped TABLE dropped_again;
UPDATE dropped SET id = id WHERE id = 11;
DELETE FROM dropped WHERE id = 11;
CREATE TEMP TABLE unknown_again AS TABLE unknown;
UPDATE unknown_again SET id = id + 10;
INSERT INTO unknown TABLE unknown_again;
UPDATE unknown SET id = id WHERE id = 11;
DELETE FROM unknown WHERE id = 11;
