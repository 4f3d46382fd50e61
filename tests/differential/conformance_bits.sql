-- Bit strings, with the bytes that they must have.
CREATE TABLE t (id int PRIMARY KEY, b1 bit, b2 bit(2), b7 bit(7), vb2 varbit(2), b24 bit(24), b64 bit(64), vb varbit,
    vb33 varbit(33), vb1 varbit(1));
--@ streaming
INSERT INTO t VALUES (1, B'0', B'11', B'1'::bit(7), B'00', B'000000110000001000000001', B'1'::bit(64), B'101',
    B'000000001110110100010001000000001', B'1');
