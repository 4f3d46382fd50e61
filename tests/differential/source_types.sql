-- Source types.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN short AS varchar(7);
CREATE DOMAIN price AS numeric(8,2);
CREATE DOMAIN price2 AS price;
CREATE TABLE t (id serial PRIMARY KEY, c_bool boolean, c_bit bit, c_bits bit(5), c_varbit varbit(7), c_varbitu varbit, c_int2 smallint, c_int8 bigint, c_oid oid,
 c_f4 real, c_f8 double precision, c_num numeric, c_num52 numeric(5,2), c_money money, c_char char(3), c_vc varchar, c_vc9 varchar(9), c_text text, c_name name, c_qchar "char", c_bytea bytea,
 c_json json, c_jsonb jsonb, c_xml xml, c_uuid uuid, c_inet inet, c_cidr cidr, c_mac macaddr, c_mac8 macaddr8, c_r int4range, c_nr numrange, c_tsv tsvector,
 c_date date, c_time time, c_time2 time(2), c_ts timestamp, c_ts3 timestamp(3), c_tz timestamptz, c_tz1 timestamptz(1), c_ttz timetz, c_ttz2 timetz(2), c_iv interval, c_iv2 interval(2), c_point point,
 c_ia int[], c_ta text[], c_va varchar(4)[], c_na numeric(6,3)[], c_nau numeric[], c_tsa timestamp(2)[], c_mood mood, c_ma mood[], c_short short, c_price price, c_price2 price2, c_citext citext, c_hs hstore, c_lt ltree, c_bs bigserial, c_vca5 citext[]);
INSERT INTO t DEFAULT VALUES;
--@ streaming
INSERT INTO t DEFAULT VALUES;
DELETE FROM t WHERE id = 1;
