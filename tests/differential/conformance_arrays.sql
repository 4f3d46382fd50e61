-- Arrays of many types, and a row with none.
CREATE TABLE t (id int PRIMARY KEY, i int[], c char(10)[], d date[], n numeric(10, 2)[], vn numeric[], a inet[], r int4range[],
    j jsonb[], o oid[]);
--@ streaming
INSERT INTO t VALUES (1, '{1,2,3}', '{cone,ctwo}', '{2016-11-04,2016-11-05}', '{1.2,3.4,5.6}', '{1.1,2.22,3.333}',
    '{192.168.0.2/1}', '{"[1,6)"}', ARRAY['{"bar": "baz"}'::jsonb], '{4000000000}');
INSERT INTO t (id) VALUES (2);
