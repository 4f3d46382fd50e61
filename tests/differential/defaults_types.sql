-- Defaults of all types that have literals or functions for them, in the schemas and in rows that do not tell them.
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN price AS numeric(8, 2) DEFAULT 3;
CREATE TABLE t (id smallserial PRIMARY KEY,
    a boolean NOT NULL DEFAULT true, b smallint NOT NULL DEFAULT -7, c bigint NOT NULL DEFAULT 9223372036854775807, d oid NOT NULL DEFAULT 5,
    dd oid NOT NULL DEFAULT 2763481442, e real NOT NULL DEFAULT 1.5, f double precision NOT NULL DEFAULT -2.5e10,
    g numeric NOT NULL DEFAULT 1.50, h numeric(8, 3) NOT NULL DEFAULT 1.5, j money NOT NULL DEFAULT 1.25, k char(3) NOT NULL DEFAULT 'k', l "char" NOT NULL DEFAULT 'l',
    m bytea NOT NULL DEFAULT '\x01', n json NOT NULL DEFAULT '{"a": 1}', o jsonb NOT NULL DEFAULT '[1]', p xml NOT NULL DEFAULT '<p/>',
    q uuid NOT NULL DEFAULT '00000000-0000-0000-0000-00000000000A', r inet NOT NULL DEFAULT '::1', t int4range NOT NULL DEFAULT '[1,2)',
    v date NOT NULL DEFAULT '2020-01-02', w time NOT NULL DEFAULT '01:02:03.5', x time(3) NOT NULL DEFAULT '01:02:03.5', y timestamp NOT NULL DEFAULT '2020-01-02 03:04:05.5',
    yy timestamp(3) NOT NULL DEFAULT '2020-01-02 03:04:05.5', z timestamptz NOT NULL DEFAULT '2020-01-02 03:04:05.5+02', aa timetz NOT NULL DEFAULT '01:02:03+00',
    ab interval NOT NULL DEFAULT '1 day 02:00', ad int[] NOT NULL DEFAULT '{1}', ae mood NOT NULL DEFAULT 'ok', af price NOT NULL DEFAULT 4, ag citext NOT NULL DEFAULT 'x',
    aj bit(5) NOT NULL DEFAULT B'10101', al bit NOT NULL DEFAULT B'1', am text NOT NULL DEFAULT '', an varchar(9) NOT NULL DEFAULT 'NULL', ao varchar(9) DEFAULT NULL::varchar,
    fa boolean NOT NULL DEFAULT bool(1), fb int NOT NULL DEFAULT length('abc'), fg numeric NOT NULL DEFAULT round(1.5), fh numeric(8, 3) NOT NULL DEFAULT abs(-2),
    fn jsonb NOT NULL DEFAULT to_jsonb(1), fr inet NOT NULL DEFAULT inet_client_addr(), fm mood NOT NULL DEFAULT enum_first(NULL::mood),
    fv date NOT NULL DEFAULT CURRENT_DATE, fw time NOT NULL DEFAULT LOCALTIME, fy timestamp NOT NULL DEFAULT LOCALTIMESTAMP, fz timestamptz NOT NULL DEFAULT transaction_timestamp(),
    faa timetz NOT NULL DEFAULT CURRENT_TIME, fab interval NOT NULL DEFAULT make_interval(1), fap price NOT NULL DEFAULT abs(-1), fag text NOT NULL DEFAULT lower('A'));
--@ streaming
INSERT INTO t (fr) VALUES ('::1');
DELETE FROM t WHERE id = 1;
