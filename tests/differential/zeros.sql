-- Required columns of every type that an old row does not tell: what stands in their places.
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN price AS numeric(8, 2);
CREATE TABLE t (id int PRIMARY KEY,
    a boolean NOT NULL, b smallint NOT NULL, c bigint NOT NULL, d oid NOT NULL, e real NOT NULL, f double precision NOT NULL,
    g numeric NOT NULL, h numeric(8, 3) NOT NULL, i numeric(8) NOT NULL, j money NOT NULL, k char(3) NOT NULL, l "char" NOT NULL,
    m bytea NOT NULL, n json NOT NULL, o jsonb NOT NULL, p xml NOT NULL, q uuid NOT NULL, r inet NOT NULL, s macaddr NOT NULL,
    t int4range NOT NULL, u tsvector NOT NULL, v date NOT NULL, w time NOT NULL, x time(3) NOT NULL,
    z timestamptz NOT NULL, aa timetz NOT NULL, ab interval NOT NULL, ac point NOT NULL, ad int[] NOT NULL, ae mood NOT NULL,
    af price NOT NULL, ag citext NOT NULL, ah hstore NOT NULL, ai ltree NOT NULL, aj bit(5) NOT NULL, ak varbit NOT NULL, al bit NOT NULL,
    am text[] NOT NULL, an mood[] NOT NULL);
INSERT INTO t SELECT i, true, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'k', 'l', 'm', '1', '1', '<p/>', '00000000-0000-0000-0000-000000000001', '::1', '00:00:00:00:00:01',
    '[1,2)', 'u', '2020-01-01', '01:00', '01:00', '2020-01-01 00:00+00', '01:00+00', '1 day', '(1,1)', '{1}', 'ok', 1, 'ag', 'a=>1', 'a.b', B'10101', B'1', B'1',
    '{a}', '{ok}' FROM generate_series(1, 2) i;
--@ streaming
DELETE FROM t WHERE id = 1;
UPDATE t SET id = 3 WHERE id = 2;
