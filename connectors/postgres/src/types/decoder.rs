//! From the binary form of a value to the value.
//!
//! Hot path. Text and bytes are slices of the received buffer; what must be written (timestamps,
//! identifiers) goes into one shared chunk, so a value costs a reference count and no allocation.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use sluice_core::schema::SchemaRef;
use sluice_core::value::{Struct, Value};

use super::compatibility::Deviation;
use super::money::{MoneyForm, money};
use super::numeric::Numeric;
use super::opaque::Opaque;
use super::output::Output;
use super::structured::{Structured, interval};
use super::temporal::{self, Unit};
use super::{ValueError, shapes, text};
use crate::config::BinaryMode;

/// Written values share chunks of this size.
const CHUNK: usize = 16 * 1024;
/// Room that any short value needs; a chunk with less left is replaced.
const ROOM: usize = 64;

/// Reads one type.
#[derive(Debug, Clone)]
pub(crate) enum Decoder {
    Boolean,
    Int16,
    Int32,
    Int64,
    Oid,
    Float32,
    Float64,
    Decimal {
        scale: i32,
    },
    VariableDecimal(SchemaRef),
    NumericText,
    NumericDouble,
    Money {
        /// Decimals of the server's unit.
        decimals: u8,
        form: MoneyForm,
    },
    Text,
    Character,
    /// Text after a byte that says the version.
    Versioned,
    Binary(BinaryMode),
    Uuid,
    Address,
    Mac,
    Bit,
    Bits,
    Date,
    Time(Unit),
    Timestamp(Unit),
    TimestampTz {
        digits: u8,
    },
    TimeTz,
    IsoDate,
    IsoTime,
    IsoTimestamp,
    IntervalMicros,
    IntervalText,
    Structured(Box<Structured>),
    /// The text that Postgres prints.
    Printed(Box<Output>),
    /// The same as bytes.
    Opaque(Box<Opaque>),
    HstoreJson,
    HstoreMap,
    Point(SchemaRef),
    Geometry(SchemaRef),
    Vector,
    HalfVector,
    SparseVector(SchemaRef),
    Array {
        element: Box<Decoder>,
        nullable: bool,
    },
    /// As Debezium has it, where that is not what Postgres holds.
    Debezium(Box<Deviation>),
}

impl Decoder {
    /// Reads a value. `whole` is the buffer that `value` lies in; `chunk` takes what is written.
    pub(crate) fn decode(
        &self,
        whole: &Bytes,
        value: &[u8],
        chunk: &mut BytesMut,
    ) -> Result<Value, ValueError> {
        if chunk.capacity() - chunk.len() < ROOM {
            *chunk = BytesMut::with_capacity(CHUNK);
        }
        let read = self.decode_common(whole, value, chunk);
        if read.is_err() {
            // Half a value must not stand before the next one.
            chunk.clear();
        }
        read
    }

    #[inline]
    fn decode_common(&self, whole: &Bytes, value: &[u8], chunk: &mut BytesMut) -> Result<Value, ValueError> {
        Ok(match self {
            Self::Boolean => Value::Boolean(array::<1>(value)? != [0]),
            Self::Int16 => Value::Int16(i16::from_be_bytes(array(value)?)),
            Self::Int32 => Value::Int32(i32::from_be_bytes(array(value)?)),
            Self::Int64 => Value::Int64(i64::from_be_bytes(array(value)?)),
            Self::Oid => Value::Int64(u32::from_be_bytes(array(value)?).into()),
            Self::Float32 => Value::Float32(f32::from_be_bytes(array(value)?)),
            Self::Float64 => Value::Float64(f64::from_be_bytes(array(value)?)),
            Self::Text => slice(whole, value)?,
            Self::Versioned => slice(whole, value.split_first().ok_or(ValueError::Length)?.1)?,
            Self::Binary(BinaryMode::Bytes) => Value::Bytes(whole.slice_ref(value)),
            Self::TimestampTz { digits } => {
                temporal::put_timestamptz(i64::from_be_bytes(array(value)?), *digits, chunk);
                written(chunk)?
            }
            Self::Timestamp(unit) => {
                Value::Int64(temporal::timestamp(i64::from_be_bytes(array(value)?), *unit)?)
            }
            Self::Date => Value::Int32(temporal::date(i32::from_be_bytes(array(value)?))?),
            Self::Time(unit) => time(i64::from_be_bytes(array(value)?), *unit)?,
            Self::Uuid => {
                text::put_uuid(value, chunk)?;
                written(chunk)?
            }
            Self::Decimal { .. } | Self::VariableDecimal(_) | Self::NumericText | Self::NumericDouble => {
                self.decode_numeric(value, chunk)?
            }
            Self::Array { element, nullable } => decode_array(element, *nullable, whole, value, chunk)?,
            _ => self.decode_rare(whole, value, chunk)?,
        })
    }

    /// Reads the text form, which Postgres sends for types without a binary one.
    pub(crate) fn decode_text(&self, whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
        match self {
            Self::Text | Self::Versioned => slice(whole, value),
            Self::Opaque(opaque) => opaque.decode_text(whole, value),
            Self::Debezium(deviation) => deviation.decode_text(whole, value),
            _ => Err(ValueError::TextForm),
        }
    }

    fn decode_numeric(&self, value: &[u8], chunk: &mut BytesMut) -> Result<Value, ValueError> {
        let numeric = Numeric::read(value)?;
        let special = numeric.special();
        match (self, special) {
            (Self::NumericText, Some(word)) => Ok(Value::from_static(word)),
            (Self::NumericText, None) => {
                numeric.put_plain(chunk);
                written(chunk)
            }
            (Self::NumericDouble, Some("NAN")) => Ok(Value::Float64(f64::NAN)),
            (Self::NumericDouble, Some("POSITIVE_INFINITY")) => Ok(Value::Float64(f64::INFINITY)),
            (Self::NumericDouble, Some(_)) => Ok(Value::Float64(f64::NEG_INFINITY)),
            (Self::NumericDouble, None) => {
                numeric.put_plain(chunk);
                let plain = chunk.split();
                let number = std::str::from_utf8(&plain).ok().and_then(|plain| plain.parse().ok());
                number.map(Value::Float64).ok_or(ValueError::Length)
            }
            (_, Some(word)) => Err(ValueError::NotANumber(word)),
            (Self::Decimal { scale }, None) => Ok(Value::Bytes(numeric.unscaled(*scale, chunk))),
            (Self::VariableDecimal(schema), None) => {
                let scale = numeric.stripped_scale();
                let values = vec![Value::Int32(scale), Value::Bytes(numeric.unscaled(scale, chunk))];
                Ok(Struct::new(SchemaRef::clone(schema), values).into())
            }
            _ => Err(ValueError::Length),
        }
    }

    fn decode_rare(&self, whole: &Bytes, value: &[u8], chunk: &mut BytesMut) -> Result<Value, ValueError> {
        match self {
            Self::Bit => return text::single_bit(value).map(Value::Boolean),
            Self::Bits => return text::bits(value, chunk).map(Value::Bytes),
            Self::Money { decimals, form } => {
                return money(i64::from_be_bytes(array(value)?), *decimals, *form, chunk);
            }
            Self::IntervalMicros => {
                let (micros, days, months) = interval(value)?;
                return Ok(Value::Int64(temporal::interval_micros(micros, days, months)));
            }
            Self::Structured(structured) => return structured.decode(value),
            Self::Opaque(opaque) => return opaque.decode(whole, value, chunk),
            Self::HstoreMap => return shapes::hstore_map(whole, value),
            Self::Point(schema) => return shapes::point(schema, value, chunk),
            Self::Geometry(schema) => return shapes::geometry(schema, whole, value),
            Self::Vector => return shapes::vector(value),
            Self::HalfVector => return shapes::half_vector(value),
            Self::SparseVector(schema) => return shapes::sparse_vector(schema, value),
            Self::Debezium(deviation) => return deviation.decode(whole, value, chunk),
            Self::HstoreJson => shapes::put_hstore_json(whole, value, chunk)?,
            Self::Binary(mode) => put_binary(*mode, value, chunk),
            Self::Printed(output) => output.put(value, chunk)?,
            Self::Character => text::put_character(array::<1>(value)?[0], chunk),
            Self::Address => text::put_address(value, chunk)?,
            Self::Mac => text::put_mac(value, chunk)?,
            Self::IsoDate => temporal::put_iso_date(i32::from_be_bytes(array(value)?), chunk),
            Self::IsoTime => temporal::put_iso_time(i64::from_be_bytes(array(value)?), chunk),
            Self::IsoTimestamp => temporal::put_iso_timestamp(i64::from_be_bytes(array(value)?), chunk),
            Self::TimeTz => {
                let (time, zone) = timetz(value)?;
                temporal::put_timetz(time, zone, chunk);
            }
            Self::IntervalText => {
                let (micros, days, months) = interval(value)?;
                temporal::put_interval(micros, days, months, chunk);
            }
            _ => return Err(ValueError::Length),
        }
        written(chunk)
    }
}

/// Writes bytes as text.
pub(crate) fn put_binary(mode: BinaryMode, bytes: &[u8], out: &mut BytesMut) {
    match mode {
        BinaryMode::Bytes => out.put_slice(bytes),
        BinaryMode::Hex => text::put_hex(bytes, out),
        BinaryMode::Base64 => out.put_slice(STANDARD.encode(bytes).as_bytes()),
        BinaryMode::Base64UrlSafe => out.put_slice(URL_SAFE.encode(bytes).as_bytes()),
    }
}

/// Splits a time with zone into microseconds and seconds west of Greenwich, within Postgres's bounds for them
/// (`timetz_recv` in `date.c`).
pub(super) fn timetz(value: &[u8]) -> Result<(i64, i32), ValueError> {
    /// Zones are nearer to Greenwich than this.
    const ZONE_LIMIT: u32 = 16 * 3600;

    let (time, zone) = value.split_at_checked(8).ok_or(ValueError::Length)?;
    let (time, zone) = (i64::from_be_bytes(array(time)?), i32::from_be_bytes(array(zone)?));
    if !(0..=temporal::DAY_MICROS).contains(&time) || zone.unsigned_abs() >= ZONE_LIMIT {
        return Err(ValueError::Length);
    }
    Ok((time, zone))
}

#[inline]
pub(super) fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], ValueError> {
    value.try_into().map_err(|_| ValueError::Length)
}

#[inline]
pub(super) fn slice(whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
    ByteString::try_from(whole.slice_ref(value)).map(Value::String).map_err(|_| ValueError::NotUtf8)
}

/// Takes what was written to the chunk as a text.
#[inline]
pub(super) fn written(chunk: &mut BytesMut) -> Result<Value, ValueError> {
    ByteString::try_from(chunk.split().freeze()).map(Value::String).map_err(|_| ValueError::NotUtf8)
}

fn time(micros: i64, unit: Unit) -> Result<Value, ValueError> {
    Ok(match unit {
        Unit::Micros => Value::Int64(micros),
        Unit::Nanos => Value::Int64(micros.checked_mul(1000).ok_or(ValueError::Range)?),
        Unit::Millis => Value::Int32(i32::try_from(micros / 1000).map_err(|_| ValueError::Range)?),
    })
}

/// Reads an array of one dimension; layout: `array_send` in Postgres's `arrayfuncs.c`.
fn decode_array(
    element: &Decoder,
    nullable: bool,
    whole: &Bytes,
    value: &[u8],
    chunk: &mut BytesMut,
) -> Result<Value, ValueError> {
    const HEADER: usize = 12;
    const DIMENSION: usize = 8;

    let (head, rest) = value.split_at_checked(HEADER).ok_or(ValueError::Length)?;
    match i32::from_be_bytes(array(&head[..4])?) {
        0 => return Ok(Value::Array(Vec::new())),
        1 => {}
        _ => return Err(ValueError::Dimensions),
    }
    let (dimension, mut rest) = rest.split_at_checked(DIMENSION).ok_or(ValueError::Length)?;
    let count =
        usize::try_from(i32::from_be_bytes(array(&dimension[..4])?)).map_err(|_| ValueError::Length)?;
    // Each element takes its length field at least, so the capacity is bounded by what was sent.
    let mut values = Vec::with_capacity(count.min(rest.len() / 4));
    for _ in 0..count {
        let (length, after) = rest.split_at_checked(4).ok_or(ValueError::Length)?;
        let length = i32::from_be_bytes(array(length)?);
        if length < 0 {
            if !nullable {
                return Err(ValueError::NullElement);
            }
            values.push(Value::Null);
            rest = after;
            continue;
        }
        let length = usize::try_from(length).map_err(|_| ValueError::Length)?;
        let (item, after) = after.split_at_checked(length).ok_or(ValueError::Length)?;
        values.push(element.decode(whole, item, chunk)?);
        rest = after;
    }
    Ok(Value::Array(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::structured::Part;

    fn decode(decoder: &Decoder, value: &[u8]) -> Result<Value, ValueError> {
        let whole = Bytes::copy_from_slice(value);
        decoder.decode(&whole, &whole, &mut BytesMut::new())
    }

    #[test]
    fn arrays_keep_nulls_and_refuse_what_they_cannot_hold() {
        let array = |dimensions: i32, elements: &[Option<i32>]| {
            let mut wire = Vec::new();
            [dimensions, 1, 23, i32::try_from(elements.len()).unwrap(), 1]
                .iter()
                .for_each(|number| wire.extend(number.to_be_bytes()));
            for element in elements {
                match element {
                    None => wire.extend((-1_i32).to_be_bytes()),
                    Some(number) => wire.extend([4_i32.to_be_bytes(), number.to_be_bytes()].concat()),
                }
            }
            wire
        };
        let decoder = |nullable| Decoder::Array { element: Box::new(Decoder::Int32), nullable };
        let wire = array(1, &[Some(1), None, Some(3)]);

        let expected = Value::Array(vec![Value::Int32(1), Value::Null, Value::Int32(3)]);
        assert_eq!(decode(&decoder(true), &wire), Ok(expected));
        assert_eq!(decode(&decoder(false), &wire), Err(ValueError::NullElement));
        assert_eq!(decode(&decoder(true), &array(2, &[])), Err(ValueError::Dimensions));
        for end in 0..wire.len() {
            assert!(decode(&decoder(true), &wire[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn text_is_a_slice_of_what_was_received() {
        let whole = Bytes::from_static(b"..text..");

        let value = Decoder::Text.decode(&whole, &whole[2..6], &mut BytesMut::new()).unwrap();

        let Value::String(text) = value else { panic!("text is a string") };
        assert!(whole.as_ptr_range().contains(&text.as_bytes().as_ptr()));
        assert_eq!(decode(&Decoder::Text, &[0xFF]), Err(ValueError::NotUtf8));
    }

    #[test]
    fn malformed_values_are_refused_without_a_panic() {
        // A digit beyond 9999 behind another one, and a sign that is none.
        let digit = [0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF];
        let sign = [0, 1, 0, 0, 0x12, 0x34, 0, 0, 0, 1];
        let late = [i64::MAX.to_be_bytes().as_slice(), &3600_i32.to_be_bytes()].concat();
        let far = [[0; 8].as_slice(), &i32::MIN.to_be_bytes()].concat();
        let zoned = Decoder::Structured(Box::new(Structured::new(Part::TimeTz, 6)));

        for (decoder, value) in [
            (Decoder::NumericText, digit.as_slice()),
            (Decoder::NumericText, &sign),
            (Decoder::TimeTz, &late),
            (zoned, &far),
        ] {
            assert_eq!(decode(&decoder, value), Err(ValueError::Length));
        }
    }

    #[test]
    fn special_numbers_are_refused_where_only_decimals_stand() {
        let nan = [0, 0, 0, 0, 0xC0, 0, 0, 0];

        assert_eq!(decode(&Decoder::Decimal { scale: 2 }, &nan), Err(ValueError::NotANumber("NAN")));
        assert_eq!(decode(&Decoder::NumericText, &nan), Ok(Value::from_static("NAN")));
    }
}
