-- Intervals whose microseconds a double cannot tell.
CREATE TABLE t (id int PRIMARY KEY, v interval);
INSERT INTO t VALUES (1, '9969 months 23342 days 15:50:38.555083'), (2, '-32330 months 27609 days 20:34:56.704743'), (3, '1.000001 seconds'),
    (4, '-32330 months -27609 days -20:34:56.704743'), (5, '178000000 years'), (6, '2147483647 hours'), (7, '-5 days +00:00:00.000009'),
    (8, '-9059 months 20280 days 14:18:10.604857'), (9, '-00:00:59.999999'), (10, '00:00:00.1');
--@ streaming
UPDATE t SET id = id + 20;
