-- COPY: rows that share a position in the log.
CREATE TABLE t (id int PRIMARY KEY, a text);
--@ streaming
COPY t (id) FROM PROGRAM 'seq 1 50';
BEGIN;
COPY t (id) FROM PROGRAM 'seq 51 55';
UPDATE t SET id = id + 1000 WHERE id BETWEEN 10 AND 12;
COPY t (id) FROM PROGRAM 'seq 56 60';
COMMIT;
--@ stopped
COPY t (id) FROM PROGRAM 'seq 101 150';
