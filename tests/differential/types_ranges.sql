-- Ranges.
CREATE TABLE t (
    id int PRIMARY KEY,
    r4 int4range,
    r8 int8range,
    rn numrange,
    rt tsrange,
    rz tstzrange,
    rd daterange
);
INSERT INTO t VALUES (1, '[1,10)', '[1,10)', '[1.5,2.5]', '["2024-01-01 00:00:00","2024-01-02 00:00:00")', '["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")', '[2024-01-01,2024-02-01)');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, 'empty', '(,5)', '(,)', '[2024-01-01,infinity)', '(,"2024-01-02 00:00:00+00")', 'empty');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
