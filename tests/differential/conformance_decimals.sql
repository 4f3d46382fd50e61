-- Decimals, with the values that they must have.
CREATE TABLE t (id int PRIMARY KEY, d decimal(3, 2), dzs decimal(4), dvs decimal, d_nn decimal(3, 2) NOT NULL, n numeric(6, 4));
--@ streaming
INSERT INTO t VALUES (1, 1.1, 10.11, 10.1111, 3.30, 22.22);
