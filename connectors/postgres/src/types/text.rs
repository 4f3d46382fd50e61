//! Values that become text: addresses, identifiers, bit strings.
//!
//! Hot path. Layouts: `network.c`, `mac.c`, `uuid.c`, `varbit.c` of Postgres.

use std::net::Ipv6Addr;

use bytes::{BufMut, Bytes, BytesMut};

use super::ValueError;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// `PGSQL_AF_INET`; version 6 is one more.
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

/// Writes hexadecimal digits, lower case.
pub(super) fn put_hex(bytes: &[u8], out: &mut BytesMut) {
    for byte in bytes {
        out.put_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Writes a UUID in its canonical form.
pub(super) fn put_uuid(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let uuid: &[u8; 16] = value.try_into().map_err(|_| ValueError::Length)?;
    for (index, part) in
        [&uuid[..4], &uuid[4..6], &uuid[6..8], &uuid[8..10], &uuid[10..]].into_iter().enumerate()
    {
        if index > 0 {
            out.put_u8(b'-');
        }
        put_hex(part, out);
    }
    Ok(())
}

/// Writes a MAC address of 6 or 8 bytes.
pub(super) fn put_mac(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    if !matches!(value.len(), 6 | 8) {
        return Err(ValueError::Length);
    }
    for (index, byte) in value.iter().enumerate() {
        if index > 0 {
            out.put_u8(b':');
        }
        put_hex(&[*byte], out);
    }
    Ok(())
}

/// Writes an `inet` or `cidr` as Postgres prints it; `cidr` always shows its mask.
pub(super) fn put_address(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let (&[family, bits, cidr, length], address) =
        value.split_first_chunk::<4>().ok_or(ValueError::Length)?;
    if address.len() != usize::from(length) {
        return Err(ValueError::Length);
    }
    let full = match (family, address) {
        (FAMILY_V4, [a, b, c, d]) => {
            put_v4([*a, *b, *c, *d], out);
            32
        }
        (FAMILY_V6, _) => {
            put_v6(address.try_into().map_err(|_| ValueError::Length)?, out);
            128
        }
        _ => return Err(ValueError::Length),
    };
    if cidr != 0 || bits != full {
        out.put_u8(b'/');
        out.put_slice(itoa::Buffer::new().format(bits).as_bytes());
    }
    Ok(())
}

fn put_v4(address: [u8; 4], out: &mut BytesMut) {
    for (index, byte) in address.into_iter().enumerate() {
        if index > 0 {
            out.put_u8(b'.');
        }
        out.put_slice(itoa::Buffer::new().format(byte).as_bytes());
    }
}

/// Rust compresses as Postgres does, but for the old form that embeds an IPv4 address.
fn put_v6(address: [u8; 16], out: &mut BytesMut) {
    let (prefix, v4) = address.split_at(12);
    if prefix == [0; 12] && (v4[0] != 0 || v4[1] != 0) {
        out.put_slice(b"::");
        return put_v4([v4[0], v4[1], v4[2], v4[3]], out);
    }
    use std::fmt::Write as _;
    // Writing to a buffer in memory does not fail.
    let _ = write!(out, "{}", Ipv6Addr::from(address));
}

/// Turns a bit string into Debezium's `Bits`: the number it spells, little-endian, without the zero
/// bytes above its highest set bit.
pub(super) fn bits(value: &[u8], out: &mut BytesMut) -> Result<Bytes, ValueError> {
    let (length, bits) = split_bits(value)?;
    let unused = (8 - length % 8) % 8;
    let mut above = 0;
    let start = out.len();
    // Bits arrive left-aligned; moving them right by `unused` makes a number of them.
    for byte in bits {
        out.put_u8(above | byte >> unused);
        above = if unused == 0 { 0 } else { byte << (8 - unused) };
    }
    out[start..].reverse();
    while out.len() > start && out.last() == Some(&0) {
        out.truncate(out.len() - 1);
    }
    Ok(out.split().freeze())
}

/// Writes a bit string as zeros and ones.
pub(super) fn put_bits(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let (length, bits) = split_bits(value)?;
    for index in 0..length {
        out.put_u8(b'0' + (bits[index / 8] >> (7 - index % 8) & 1));
    }
    Ok(())
}

/// Writes a `"char"`: bytes beyond ASCII in octal as Postgres does, zero as nothing.
pub(super) fn put_character(byte: u8, out: &mut BytesMut) {
    match byte {
        0 => {}
        0x80.. => {
            let octal = [6, 3, 0].map(|shift| b'0' + (byte >> shift & 7));
            out.put_slice(&[b'\\', octal[0], octal[1], octal[2]]);
        }
        _ => out.put_u8(byte),
    }
}

/// Reads a bit string of one bit.
pub(super) fn single_bit(value: &[u8]) -> Result<bool, ValueError> {
    let (length, bits) = split_bits(value)?;
    Ok(length > 0 && bits.first().is_some_and(|byte| byte & 0x80 != 0))
}

fn split_bits(value: &[u8]) -> Result<(usize, &[u8]), ValueError> {
    let (length, bits) = value.split_first_chunk::<4>().ok_or(ValueError::Length)?;
    let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| ValueError::Length)?;
    if bits.len() != length.div_ceil(8) {
        return Err(ValueError::Length);
    }
    Ok((length, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(value: &[u8]) -> String {
        let mut out = BytesMut::new();
        put_address(value, &mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn addresses_read_as_postgres_prints_them() {
        let v6 = |text: &str, bits, cidr| {
            let octets = text.parse::<Ipv6Addr>().unwrap().octets();
            address(&[&[3, bits, cidr, 16][..], &octets].concat())
        };

        assert_eq!(address(&[2, 24, 0, 4, 192, 168, 1, 5]), "192.168.1.5/24");
        assert_eq!(address(&[2, 32, 0, 4, 192, 168, 1, 5]), "192.168.1.5");
        assert_eq!(address(&[2, 32, 1, 4, 10, 1, 0, 0]), "10.1.0.0/32");
        assert_eq!(v6("2001:db8::1", 64, 0), "2001:db8::1/64");
        assert_eq!(v6("::ffff:1.2.3.4", 128, 0), "::ffff:1.2.3.4");
        assert_eq!(v6("::1.2.3.4", 128, 0), "::1.2.3.4");
        assert_eq!(v6("::1", 128, 0), "::1");
    }

    #[test]
    fn bit_strings_are_little_endian_numbers() {
        let number = |length: i32, bytes: &[u8]| {
            bits(&[&length.to_be_bytes()[..], bytes].concat(), &mut BytesMut::new()).unwrap().to_vec()
        };

        assert_eq!(number(5, &[0b1011_0000]), [0x16]);
        assert_eq!(number(64, &[0x80, 0, 0, 0, 0, 0, 0, 1]), [1, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(number(12, &[0b1100_1100, 0b1100_0000]), [0xCC, 0x0C]);
        assert!(number(2, &[0]).is_empty());
        assert!(single_bit(&[0, 0, 0, 1, 0x80]).unwrap());
        let mut out = BytesMut::new();
        put_bits(&[0, 0, 0, 10, 0xA5, 0x40], &mut out).unwrap();
        assert_eq!(&out[..], b"1010010101");
    }

    #[test]
    fn uuid_is_canonical() {
        let mut out = BytesMut::new();

        put_uuid(&(0..16).collect::<Vec<_>>(), &mut out).unwrap();

        assert_eq!(&out[..], b"00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert!(put_uuid(&[1], &mut out).is_err());
    }
}
