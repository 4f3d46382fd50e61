-- Every operation on a users table, rows from the snapshot and from the stream.
CREATE TABLE users (
    id bigserial PRIMARY KEY,
    first_name varchar(50) NOT NULL,
    last_name text,
    gender char(1),
    email varchar(255) UNIQUE,
    balance numeric(12, 2) DEFAULT 0,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    modified_at timestamp(3)
);
INSERT INTO users (first_name, last_name, gender, email, balance, created_at, modified_at) VALUES
    ('Ada', 'Lovelace', 'f', 'ada@example.org', 12.50, '2024-01-02 03:04:05.678901+00', '2024-01-02 03:04:05.678'),
    ('Alan', 'Turing', 'm', 'alan@example.org', -0.01, '1999-12-31 23:59:59+00', NULL);
--@ streaming
INSERT INTO users (first_name, email, created_at) VALUES ('Grace', 'grace@example.org', '2024-05-06 07:08:09+02');
UPDATE users SET balance = 99.99, last_name = 'Hopper' WHERE first_name = 'Grace';
UPDATE users SET active = false;
DELETE FROM users WHERE first_name = 'Alan';
BEGIN;
INSERT INTO users (first_name, created_at) VALUES ('One', '2024-01-01 00:00:00+00');
INSERT INTO users (first_name, created_at) VALUES ('Two', '2024-01-01 00:00:00+00');
DELETE FROM users WHERE first_name = 'One';
COMMIT;
BEGIN;
INSERT INTO users (first_name) VALUES ('Never');
ROLLBACK;
