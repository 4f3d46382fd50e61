-- Numbers, with the values that they must have.
CREATE TABLE t (id int PRIMARY KEY, si smallint, i int, bi bigint, r real, d double precision, r_nan real, r_inf real,
    d_nan double precision, d_inf double precision, o oid, ss smallserial, bs bigserial);
--@ streaming
INSERT INTO t VALUES (1, 1, 123456, 1234567890123, 3.3, 4.44, 'NaN', '-Infinity', 'NaN', 'Infinity', 4000000000, 1, 123);
