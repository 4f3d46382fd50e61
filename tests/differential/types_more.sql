-- What no other case has: quote marks in names, arrays of citext, domains over domains, odd lengths of bits, the last year, odd hstores, rows of NULL.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE DOMAIN short AS varchar(7) CHECK (value <> 'never');
CREATE DOMAIN shorter AS short NOT NULL DEFAULT 'x';
CREATE DOMAIN name_ci AS citext;
CREATE DOMAIN amount AS numeric(9, 3);
CREATE DOMAIN net AS amount DEFAULT 1.5;
CREATE TABLE t (
    "id ""key""" int PRIMARY KEY,
    "it's" text DEFAULT 'its', "a.b" int DEFAULT 7, "dollar$" text,
    ci citext, cis citext[], s short, r shorter, n name_ci, m net,
    b33 bit(33), v33 varbit(33), v1 varbit(1), mac8 macaddr8, mac8s macaddr8[],
    last timestamptz, t0 time(0), t3 time(3), h hstore, hs hstore[], u text, us text[], j jsonb, js jsonb[], bs bytea[], e text[]
);
INSERT INTO t VALUES (1, 'o''clock "x"', 1, '$', 'Ci', '{Ci,NULL,"a b"}', 'domain', 'nested', 'Name', 12345.678,
    B'100000000000000000000000000000001', B'1', B'1', '08:00:2b:01:02:03:04:05', '{08:00:2b:01:02:03:04:05}',
    '294276-12-31 23:59:59.999999+00', '24:00', '23:59:59.9994', '"q\"uote"=>"back\\slash", "é漢😀"=>"tab	", "=>"=>",", ""=>""', '{"a=>1","b=>NULL"}',
    'é漢😀 \ " '' end', '{é,"漢,字","quo\"te","back\\slash",NULL,"NULL",""}', '{"é": "😀", "n": 1.10, "deep": [{"a": null}]}', '{"{\"a\": 1}","null"}', '{"\\x00ff",NULL,"\\x"}', '{}');
INSERT INTO t ("id ""key""", "it's", "a.b", m) VALUES (2, '', 0, NULL);
INSERT INTO t VALUES (3, '', 0, '', '', '{}', '', '', '', 0, B'000000000000000000000000000000000', B'', B'0', '00:00:00:00:00:00:00:00', '{}',
    '0001-01-01 00:00+00', '00:00', '00:00', '', '{}', '', '{}', '{}', '{}', '{}', '{""}');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET "id ""key""" = "id ""key""" + 10;
INSERT INTO t TABLE again;
UPDATE t SET "id ""key""" = "id ""key""" WHERE "id ""key""" = 11;
DELETE FROM t WHERE "id ""key""" = 11;
