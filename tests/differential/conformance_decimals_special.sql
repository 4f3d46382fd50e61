-- Decimals beside NaN and infinity, with the values that they must have.
CREATE TABLE t (id int PRIMARY KEY, d decimal(3, 2), dzs decimal(4), dvs decimal, n numeric(6, 4), d_nan decimal(3, 2),
    v_nan decimal, v_inf decimal);
--@ streaming
INSERT INTO t VALUES (1, 1.1, 10.11, 10.1111, 22.22, 'NaN', 'NaN', 'Infinity');
