-- Types that Debezium does not know, beside one that it does.
CREATE TABLE t (
    id int PRIMARY KEY,
    n int,
    l line,
    c circle,
    q tsquery,
    p pg_lsn,
    m int4multirange,
    x txid_snapshot
);
INSERT INTO t VALUES (1, 7, '{1,2,3}', '<(1,2),3>', 'fox & jump', '16/B374D848', '{[1,3),[5,7)}', '10:20:10,14');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
