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

use super::mapping::MONEY_SCALE;
use super::numeric::{Numeric, put_integer};
use super::temporal::{self, Unit};
use super::{ValueError, text};

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
    Decimal { scale: i32 },
    VariableDecimal(SchemaRef),
    NumericText,
    NumericDouble,
    Money(MoneyForm),
    Text,
    Character,
    Jsonb,
    Bytes,
    Base64 { url_safe: bool },
    Hex,
    Uuid,
    Address,
    Mac,
    Bit,
    Bits,
    Date,
    Time(Unit),
    Timestamp(Unit),
    TimestampTz { digits: u8 },
    TimeTz,
    IntervalMicros,
    IntervalText,
    Array { element: Box<Decoder>, nullable: bool },
}

/// What `money` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MoneyForm {
    Decimal,
    Double,
    Text,
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
        Ok(match self {
            Self::Boolean => Value::Boolean(array::<1>(value)? != [0]),
            Self::Int16 => Value::Int16(i16::from_be_bytes(array(value)?)),
            Self::Int32 => Value::Int32(i32::from_be_bytes(array(value)?)),
            Self::Int64 => Value::Int64(i64::from_be_bytes(array(value)?)),
            Self::Oid => Value::Int64(u32::from_be_bytes(array(value)?).into()),
            Self::Float32 => Value::Float32(f32::from_be_bytes(array(value)?)),
            Self::Float64 => Value::Float64(f64::from_be_bytes(array(value)?)),
            Self::Text => slice(whole, value)?,
            Self::Jsonb => slice(whole, value.split_first().ok_or(ValueError::Length)?.1)?,
            Self::Bytes => Value::Bytes(whole.slice_ref(value)),
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
            Self::Text | Self::Jsonb => slice(whole, value),
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
            Self::Character => return character(whole, value, chunk),
            Self::Bit => return text::single_bit(value).map(Value::Boolean),
            Self::Bits => return text::bits(value, chunk).map(Value::Bytes),
            Self::Money(form) => return money(i64::from_be_bytes(array(value)?), *form, chunk),
            Self::IntervalMicros => {
                let (micros, days, months) = interval(value)?;
                return Ok(Value::Int64(temporal::interval_micros(micros, days, months)));
            }
            Self::Hex => text::put_hex(value, chunk),
            Self::Base64 { url_safe } => {
                let engine = if *url_safe { &URL_SAFE } else { &STANDARD };
                chunk.put_slice(engine.encode(value).as_bytes());
            }
            Self::Address => text::put_address(value, chunk)?,
            Self::Mac => text::put_mac(value, chunk)?,
            Self::TimeTz => {
                let (time, zone) = value.split_at_checked(8).ok_or(ValueError::Length)?;
                temporal::put_timetz(
                    i64::from_be_bytes(array(time)?),
                    i32::from_be_bytes(array(zone)?),
                    chunk,
                );
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

#[inline]
fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], ValueError> {
    value.try_into().map_err(|_| ValueError::Length)
}

#[inline]
fn slice(whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
    ByteString::try_from(whole.slice_ref(value)).map(Value::String).map_err(|_| ValueError::NotUtf8)
}

/// Takes what was written to the chunk as a text.
#[inline]
fn written(chunk: &mut BytesMut) -> Result<Value, ValueError> {
    ByteString::try_from(chunk.split().freeze()).map(Value::String).map_err(|_| ValueError::NotUtf8)
}

fn time(micros: i64, unit: Unit) -> Result<Value, ValueError> {
    Ok(match unit {
        Unit::Micros => Value::Int64(micros),
        Unit::Millis => Value::Int32(i32::try_from(micros / 1000).map_err(|_| ValueError::Range)?),
    })
}

fn interval(value: &[u8]) -> Result<(i64, i32, i32), ValueError> {
    let (micros, rest) = value.split_at_checked(8).ok_or(ValueError::Length)?;
    let (days, months) = rest.split_at_checked(4).ok_or(ValueError::Length)?;
    Ok((
        i64::from_be_bytes(array(micros)?),
        i32::from_be_bytes(array(days)?),
        i32::from_be_bytes(array(months)?),
    ))
}

fn money(cents: i64, form: MoneyForm, chunk: &mut BytesMut) -> Result<Value, ValueError> {
    const UNIT: u64 = 10_u64.pow(MONEY_SCALE.unsigned_abs());

    Ok(match form {
        MoneyForm::Decimal => Value::Bytes(put_integer(cents.into(), chunk)),
        #[expect(clippy::cast_precision_loss, reason = "this is what `double` asks for")]
        MoneyForm::Double => Value::Float64(cents as f64 / UNIT as f64),
        MoneyForm::Text => {
            if cents < 0 {
                chunk.put_u8(b'-');
            }
            let magnitude = cents.unsigned_abs();
            chunk.put_slice(itoa::Buffer::new().format(magnitude / UNIT).as_bytes());
            let mut buffer = itoa::Buffer::new();
            let hundredths = buffer.format(magnitude % UNIT);
            chunk.put_slice(if hundredths.len() < 2 { b".0" } else { b"." });
            chunk.put_slice(hundredths.as_bytes());
            return written(chunk);
        }
    })
}

/// Reads a `"char"`, one byte; bytes beyond ASCII are shown in octal as Postgres does, zero as nothing.
fn character(whole: &Bytes, value: &[u8], chunk: &mut BytesMut) -> Result<Value, ValueError> {
    match array(value)? {
        [0] => Ok(Value::from_static("")),
        [byte] if byte >= 0x80 => {
            let octal = [6, 3, 0].map(|shift| b'0' + (byte >> shift & 7));
            chunk.put_slice(&[b'\\', octal[0], octal[1], octal[2]]);
            written(chunk)
        }
        [_] => slice(whole, value),
    }
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

    fn decode(decoder: &Decoder, value: &[u8]) -> Result<Value, ValueError> {
        let whole = Bytes::copy_from_slice(value);
        decoder.decode(&whole, &whole, &mut BytesMut::new())
    }

    #[test]
    fn money_keeps_its_cents_in_every_form() {
        let money = |cents: i64, form| decode(&Decoder::Money(form), &cents.to_be_bytes()).unwrap();

        assert_eq!(money(-1, MoneyForm::Text), Value::from_static("-0.01"));
        assert_eq!(money(i64::MIN, MoneyForm::Text), Value::from_static("-92233720368547758.08"));
        assert_eq!(money(123_456, MoneyForm::Double), Value::Float64(1234.56));
        assert_eq!(
            money(i64::MIN, MoneyForm::Decimal),
            Value::Bytes(Bytes::from_static(&[0x80, 0, 0, 0, 0, 0, 0, 0]))
        );
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
    fn special_numbers_are_refused_where_only_decimals_stand() {
        let nan = [0, 0, 0, 0, 0xC0, 0, 0, 0];

        assert_eq!(decode(&Decoder::Decimal { scale: 2 }, &nan), Err(ValueError::NotANumber("NAN")));
        assert_eq!(decode(&Decoder::NumericText, &nan), Ok(Value::from_static("NAN")));
    }
}
