-- Addresses.
CREATE TABLE t (
    id int PRIMARY KEY,
    c_inet inet,
    c_cidr cidr,
    c_mac macaddr,
    c_mac8 macaddr8
);
INSERT INTO t VALUES (1, '192.168.1.5/24', '10.1.0.0/16', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '::1', '2001:db8::/32', NULL, NULL);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
