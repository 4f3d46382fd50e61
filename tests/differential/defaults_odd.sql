-- Defaults that Debezium cuts: text with a quote or a line break, and the end of the day.
CREATE TYPE mood AS ENUM ('it''s', 'ok');
CREATE TABLE t (
    id int PRIMARY KEY,
    a text DEFAULT 'it''s',
    b varchar(9) DEFAULT E'two\nlines',
    c jsonb DEFAULT '{"it''s": 1}',
    d mood DEFAULT 'it''s',
    e time(0) DEFAULT '24:00',
    f time DEFAULT '24:00',
    g xml NOT NULL DEFAULT '<a b=''c''/>',
    h char(9) DEFAULT '''',
    i interval DEFAULT '9969 months 23342 days 15:50:38.555083'
);
INSERT INTO t (id) VALUES (1);
--@ streaming
INSERT INTO t (id) VALUES (2);
UPDATE t SET e = NULL, a = NULL;
DELETE FROM t WHERE id = 1;
