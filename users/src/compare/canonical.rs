//! One text for one value, whichever database it was read from.

use anyhow::bail;
use jiff::Timestamp;
use scylla::value::{CqlDecimal, CqlValue};
use serde_json::Value;

/// How values of a column are compared: by the Postgres type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `boolean`.
    Boolean,
    /// `smallint`, `integer`, `bigint`, `oid`.
    Integer,
    /// `real`.
    Float32,
    /// `double precision`.
    Float64,
    /// `numeric`: by value, 1.0 equals 1.00.
    Decimal,
    /// `uuid`.
    Uuid,
    /// `bytea`.
    Bytes,
    /// `timestamptz`, and `timestamp` taken as UTC: floored to milliseconds.
    Timestamp,
    /// `date`: days since 1970.
    Date,
    /// `time`: microseconds since midnight.
    Time,
    /// `json`, `jsonb`: by JSON value.
    Json,
    /// Everything else: by its text.
    Text,
}

impl Kind {
    /// Finds the kind of a Postgres type by its internal name (`int4`, `timestamptz`).
    ///
    /// # Errors
    ///
    /// There is no rule for arrays.
    pub fn from_postgres(udt_name: &str) -> anyhow::Result<Self> {
        Ok(match udt_name {
            "bool" => Self::Boolean,
            "int2" | "int4" | "int8" | "oid" => Self::Integer,
            "float4" => Self::Float32,
            "float8" => Self::Float64,
            "numeric" => Self::Decimal,
            "uuid" => Self::Uuid,
            "bytea" => Self::Bytes,
            "timestamptz" | "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            "time" => Self::Time,
            "json" | "jsonb" => Self::Json,
            array if array.starts_with('_') => bail!("arrays cannot be compared yet"),
            _ => Self::Text,
        })
    }

    /// The SQL expression that gives a column as the text that [`from_postgres`] reads.
    #[must_use]
    pub fn postgres_text(self, column: &str) -> String {
        match self {
            Self::Timestamp => format!(
                "CASE WHEN isfinite({column}) THEN (extract(epoch FROM {column}) * 1000000)::numeric(40, 0)::text \
                 ELSE {column}::text END"
            ),
            Self::Date => {
                format!(
                    "CASE WHEN isfinite({column}) THEN ({column} - DATE '1970-01-01')::text ELSE {column}::text END"
                )
            }
            Self::Time => format!("(extract(epoch FROM {column}) * 1000000)::bigint::text"),
            Self::Bytes => format!("encode({column}, 'hex')"),
            _ => format!("{column}::text"),
        }
    }
}

/// The canonical text of what [`Kind::postgres_text`] selected.
#[must_use]
pub fn from_postgres(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Timestamp => match text.parse::<i128>() {
            Ok(micros) => timestamp(micros.div_euclid(1_000)),
            Err(_) => text.to_owned(),
        },
        Kind::Decimal => decimal(text),
        Kind::Float32 => text.parse::<f32>().map_or_else(|_| text.to_owned(), |float| format!("{float:?}")),
        Kind::Float64 => text.parse::<f64>().map_or_else(|_| text.to_owned(), |float| format!("{float:?}")),
        _ => text.to_owned(),
    }
}

/// The canonical text of a CQL value in a column of that kind. A type that does not belong there is spelled out, and
/// so differs from everything.
#[must_use]
pub fn from_cassandra(kind: Kind, value: &CqlValue) -> String {
    match (kind, value) {
        (Kind::Boolean, CqlValue::Boolean(flag)) => flag.to_string(),
        (Kind::Integer, CqlValue::SmallInt(number)) => number.to_string(),
        (Kind::Integer, CqlValue::Int(number)) => number.to_string(),
        (Kind::Integer, CqlValue::BigInt(number)) => number.to_string(),
        (Kind::Float32, CqlValue::Float(float)) => format!("{float:?}"),
        (Kind::Float64, CqlValue::Double(float)) => format!("{float:?}"),
        (Kind::Decimal, CqlValue::Decimal(number)) => decimal(&decimal_text(number)),
        (Kind::Decimal, CqlValue::Text(text)) => decimal(text),
        (Kind::Uuid, CqlValue::Uuid(uuid)) => uuid.to_string(),
        (Kind::Bytes, CqlValue::Blob(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        (Kind::Timestamp, CqlValue::Timestamp(moment)) => timestamp(i128::from(moment.0)),
        (Kind::Date, CqlValue::Date(date)) => (i64::from(date.0) - (1 << 31)).to_string(),
        (Kind::Time, CqlValue::Time(time)) if time.0 % 1_000 == 0 => (time.0 / 1_000).to_string(),
        (Kind::Text | Kind::Json, CqlValue::Text(text) | CqlValue::Ascii(text)) => text.clone(),
        (Kind::Text, CqlValue::Inet(address)) => address.to_string(),
        (_, other) => format!("{other:?}"),
    }
}

/// Whether two canonical cells are the same; JSON texts may differ in spelling.
///
/// JSON numbers are held against each other as 64-bit floats where they are no 64-bit integers.
#[must_use]
pub fn equal(kind: Kind, postgres: Option<&str>, cassandra: Option<&str>) -> bool {
    match (postgres, cassandra) {
        (Some(left), Some(right)) if kind == Kind::Json && left != right => {
            let parse = serde_json::from_str::<Value>;
            matches!((parse(left), parse(right)), (Ok(left), Ok(right)) if left == right)
        }
        (left, right) => left == right,
    }
}

/// ISO 8601 where the calendar of [`jiff`] reaches, else the number of milliseconds.
fn timestamp(millis: i128) -> String {
    let moment = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    moment.map_or_else(|| format!("{millis} ms"), |moment| format!("{moment:.3}"))
}

/// Strips the zeros that do not change a decimal's value.
fn decimal(text: &str) -> String {
    let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole, fraction) != ("0", "") { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A CQL decimal in plain digits.
fn decimal_text(number: &CqlDecimal) -> String {
    let (bytes, scale) = number.as_signed_be_bytes_slice_and_exponent();
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut digits = magnitude_digits(bytes, negative);
    let scale = if scale < 0 {
        digits.push_str(&"0".repeat(scale.unsigned_abs() as usize));
        0
    } else {
        scale as usize
    };
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{}{whole}.{fraction}", if negative { "-" } else { "" })
}

/// Decimal digits of the absolute value of a big-endian two's complement number.
fn magnitude_digits(bytes: &[u8], negative: bool) -> String {
    // The digits in base 10, lowest first: multiply by 256 and add the next byte.
    let mut digits = vec![0_u8];
    let mut push = |byte: u8| {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    };
    if negative {
        negated(bytes).into_iter().for_each(&mut push);
    } else {
        bytes.iter().copied().for_each(&mut push);
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut inverted: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    for byte in inverted.iter_mut().rev() {
        let (sum, overflow) = byte.overflowing_add(1);
        *byte = sum;
        if !overflow {
            break;
        }
    }
    inverted
}

#[cfg(test)]
mod tests {
    use scylla::value::{CqlDate, CqlTime, CqlTimestamp};

    use super::*;

    fn cql_decimal(unscaled: i128, scale: i32) -> String {
        let number = CqlDecimal::from_signed_be_bytes_slice_and_exponent(&unscaled.to_be_bytes(), scale);
        from_cassandra(Kind::Decimal, &CqlValue::Decimal(number))
    }

    #[test]
    fn decimals_are_equal_by_value() {
        assert_eq!(from_postgres(Kind::Decimal, "12.3400"), cql_decimal(123_400, 4));
        assert_eq!(from_postgres(Kind::Decimal, "-0.0001"), cql_decimal(-1, 4));
        assert_eq!(from_postgres(Kind::Decimal, "0.0000"), cql_decimal(0, 4));
        assert_eq!(from_postgres(Kind::Decimal, "1200"), cql_decimal(12, -2));
        assert_eq!(from_postgres(Kind::Decimal, "-179.9999"), cql_decimal(-1_799_999, 4));
        assert_ne!(from_postgres(Kind::Decimal, "1.001"), cql_decimal(1, 0));
    }

    #[test]
    fn decimals_of_any_length_keep_every_digit() {
        let text = i128::MIN.to_string();

        assert_eq!(cql_decimal(i128::MIN, 0), text);
        assert_eq!(from_postgres(Kind::Decimal, &text), text);
    }

    #[test]
    fn timestamps_are_floored_to_milliseconds_also_before_1970() {
        let cql = |millis| from_cassandra(Kind::Timestamp, &CqlValue::Timestamp(CqlTimestamp(millis)));

        assert_eq!(from_postgres(Kind::Timestamp, "1700000000123999"), cql(1_700_000_000_123));
        assert_eq!(from_postgres(Kind::Timestamp, "-1"), cql(-1));
        assert_eq!(cql(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(from_postgres(Kind::Timestamp, "infinity"), "infinity");
    }

    #[test]
    fn json_is_equal_by_value_and_not_by_spelling() {
        let json = |left, right| equal(Kind::Json, Some(left), Some(right));

        assert!(json(r#"{"a": 1, "b": [true]}"#, r#"{"b":[true],"a":1}"#));
        assert!(!json(r#"{"a": 1}"#, r#"{"a": "1"}"#));
        assert!(!json("[1, 2]", "[2, 1]"));
        assert!(!equal(Kind::Text, Some(r#"{"a": 1}"#), Some(r#"{"a":1}"#)));
    }

    #[test]
    fn null_is_not_the_empty_string() {
        assert!(!equal(Kind::Text, None, Some("")));
        assert!(equal(Kind::Text, None, None));
    }

    #[test]
    fn a_type_that_does_not_belong_there_differs() {
        assert_ne!(
            from_cassandra(Kind::Integer, &CqlValue::Text("7".to_owned())),
            from_postgres(Kind::Integer, "7")
        );
    }

    #[test]
    fn dates_and_times_count_from_their_own_origins() {
        assert_eq!(from_cassandra(Kind::Date, &CqlValue::Date(CqlDate((1 << 31) + 19_000))), "19000");
        assert_eq!(from_cassandra(Kind::Time, &CqlValue::Time(CqlTime(1_500_000))), "1500");
    }

    #[test]
    fn floats_are_equal_by_value() {
        assert_eq!(from_postgres(Kind::Float64, "1"), from_cassandra(Kind::Float64, &CqlValue::Double(1.0)));
        assert_eq!(
            from_postgres(Kind::Float32, "NaN"),
            from_cassandra(Kind::Float32, &CqlValue::Float(f32::NAN))
        );
        assert_eq!(
            from_postgres(Kind::Float64, "1e-07"),
            from_cassandra(Kind::Float64, &CqlValue::Double(1e-7))
        );
    }

    #[test]
    fn arrays_have_no_rule() {
        assert!(Kind::from_postgres("_int4").is_err());
        assert_eq!(Kind::from_postgres("citext").unwrap(), Kind::Text);
    }
}
