//! The text that Postgres's output function prints, made from the binary form.
//!
//! Stream and snapshot carry the binary form of whatever has one; for types that Debezium passes on
//! as text (ranges, `tsvector`, unknown types) the text is made here, once for both. It is what
//! `type::text` prints in a session with `TimeZone=UTC`, `DateStyle=ISO`, `IntervalStyle=postgres`,
//! `lc_monetary=C` and `bytea_output=hex`.
//!
//! - `containers`: arrays, ranges, multiranges, composites, hstore
//! - `geometry`: points to polygons
//! - `search`: `tsvector`, `tsquery`
//! - `scalars`: all others

mod containers;
mod geometry;
mod scalars;
mod search;

use bytes::{BufMut, BytesMut};

pub(super) use containers::{Pairs, put_json_string};
pub(super) use geometry::{Figure, put_java_float};

use super::facts::{Form, ResolvedType};
use super::numeric::Numeric;
use super::{ValueError, text};

/// How the text of one type is made.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    Boolean,
    Int16,
    Int32,
    Int64,
    /// `oid`, `xid`, `cid`.
    Unsigned32,
    /// `xid8`.
    Unsigned64,
    Float32,
    Float64,
    Numeric,
    Money {
        decimals: u8,
    },
    /// The bytes are the text.
    Verbatim,
    /// One byte says the version, the rest is the text.
    Versioned,
    Character,
    Bytes,
    Uuid,
    Address,
    Mac,
    Bits,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Lsn,
    RowPlace,
    SnapshotIds,
    Figure(Figure),
    TsVector,
    TsQuery,
    Hstore,
    /// `int2vector`, `oidvector`: elements between blanks.
    Vector(Box<Output>),
    Array {
        element: Box<Output>,
        delimiter: u8,
    },
    Range(Box<Output>),
    Multirange(Box<Output>),
    /// Oid and form of each attribute.
    Composite(Vec<(u32, Output)>),
}

impl Output {
    /// Finds the output of a type; `None` for one whose binary form is not known here.
    pub(crate) fn of(type_: &ResolvedType) -> Option<Self> {
        let boxed = |type_: &ResolvedType| Self::of(type_).map(Box::new);
        if !type_.sends {
            return None;
        }
        Some(match &type_.form {
            Form::Enum(_) => Self::Verbatim,
            Form::Array(element) => {
                let delimiter = u8::try_from(element.delimiter).ok()?;
                Self::Array { element: boxed(element)?, delimiter }
            }
            Form::Range(bound) => Self::Range(boxed(bound)?),
            Form::Multirange(range) => Self::Multirange(boxed(range)?),
            Form::Composite(attributes) => {
                let attribute = |type_: &ResolvedType| Some((type_.oid, Self::of(type_)?));
                Self::Composite(attributes.iter().map(attribute).collect::<Option<_>>()?)
            }
            Form::Base => return Self::base(type_),
        })
    }

    fn base(type_: &ResolvedType) -> Option<Self> {
        Some(match type_.name.as_str() {
            // Types of contrib modules; their names are taken for what they are.
            "citext" => Self::Verbatim,
            "hstore" => Self::Hstore,
            "ltree" | "lquery" | "ltxtquery" => Self::Versioned,
            _ if !type_.built_in() => return None,
            "bool" => Self::Boolean,
            "int2" => Self::Int16,
            "int4" => Self::Int32,
            "int8" => Self::Int64,
            "oid" | "xid" | "cid" => Self::Unsigned32,
            "xid8" => Self::Unsigned64,
            "float4" => Self::Float32,
            "float8" => Self::Float64,
            "numeric" => Self::Numeric,
            "money" => Self::Money { decimals: type_.money_decimals },
            "text" | "varchar" | "bpchar" | "name" | "json" | "xml" | "refcursor" => Self::Verbatim,
            "jsonb" | "jsonpath" => Self::Versioned,
            "char" => Self::Character,
            "bytea" => Self::Bytes,
            "uuid" => Self::Uuid,
            "inet" | "cidr" => Self::Address,
            "macaddr" | "macaddr8" => Self::Mac,
            "bit" | "varbit" => Self::Bits,
            "date" => Self::Date,
            "time" => Self::Time,
            "timetz" => Self::TimeTz,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::TimestampTz,
            "interval" => Self::Interval,
            "pg_lsn" => Self::Lsn,
            "tid" => Self::RowPlace,
            "txid_snapshot" | "pg_snapshot" => Self::SnapshotIds,
            "tsvector" => Self::TsVector,
            "tsquery" => Self::TsQuery,
            "int2vector" => Self::Vector(Box::new(Self::Int16)),
            "oidvector" => Self::Vector(Box::new(Self::Unsigned32)),
            name => Self::Figure(Figure::named(name)?),
        })
    }

    /// Writes the text of a value.
    ///
    /// # Errors
    /// When the bytes are not those of the type.
    pub(crate) fn put(&self, value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
        match self {
            Self::Boolean => out.put_u8(if fixed::<1>(value)? == [0] { b'f' } else { b't' }),
            Self::Int16 => scalars::put_integer(i16::from_be_bytes(fixed(value)?), out),
            Self::Int32 => scalars::put_integer(i32::from_be_bytes(fixed(value)?), out),
            Self::Int64 => scalars::put_integer(i64::from_be_bytes(fixed(value)?), out),
            Self::Unsigned32 => scalars::put_integer(u32::from_be_bytes(fixed(value)?), out),
            Self::Unsigned64 => scalars::put_integer(u64::from_be_bytes(fixed(value)?), out),
            Self::Float32 => scalars::put_float32(f32::from_be_bytes(fixed(value)?), out),
            Self::Float64 => scalars::put_float64(f64::from_be_bytes(fixed(value)?), out),
            Self::Numeric => put_numeric(value, out)?,
            Self::Money { decimals } => scalars::put_money(i64::from_be_bytes(fixed(value)?), *decimals, out),
            Self::Verbatim => out.put_slice(value),
            Self::Versioned => out.put_slice(value.split_first().ok_or(ValueError::Length)?.1),
            Self::Character => text::put_character(fixed::<1>(value)?[0], out),
            Self::Bytes => {
                out.put_slice(b"\\x");
                text::put_hex(value, out);
            }
            Self::Uuid => text::put_uuid(value, out)?,
            Self::Address => text::put_address(value, out)?,
            Self::Mac => text::put_mac(value, out)?,
            Self::Bits => text::put_bits(value, out)?,
            Self::Date => scalars::put_date(i32::from_be_bytes(fixed(value)?), out),
            Self::Time => scalars::put_time(i64::from_be_bytes(fixed(value)?), out),
            Self::TimeTz => scalars::put_timetz(value, out)?,
            Self::Timestamp => {
                scalars::put_timestamp(i64::from_be_bytes(fixed(value)?), "", out);
            }
            Self::TimestampTz => scalars::put_timestamp(i64::from_be_bytes(fixed(value)?), "+00", out),
            Self::Interval => scalars::put_interval(value, out)?,
            Self::Lsn => scalars::put_lsn(u64::from_be_bytes(fixed(value)?), out),
            Self::RowPlace => scalars::put_row_place(value, out)?,
            Self::SnapshotIds => scalars::put_snapshot(value, out)?,
            Self::Figure(figure) => figure.put(value, scalars::put_float64, out)?,
            Self::TsVector => search::put_vector(value, out)?,
            Self::TsQuery => search::put_query(value, out)?,
            Self::Hstore => containers::put_hstore(value, out)?,
            Self::Vector(element) => containers::put_vector(element, value, out)?,
            Self::Array { element, delimiter } => {
                containers::put_array(element, *delimiter, value, out)?;
            }
            Self::Range(bound) => containers::put_range(bound, value, out)?,
            Self::Multirange(range) => containers::put_multirange(range, value, out)?,
            Self::Composite(attributes) => containers::put_composite(attributes, value, out)?,
        }
        Ok(())
    }
}

fn put_numeric(value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    let numeric = Numeric::read(value)?;
    match numeric.special() {
        None => numeric.put_plain(out),
        Some("NAN") => out.put_slice(b"NaN"),
        Some("POSITIVE_INFINITY") => out.put_slice(b"Infinity"),
        Some(_) => out.put_slice(b"-Infinity"),
    }
    Ok(())
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], ValueError> {
    value.try_into().map_err(|_| ValueError::Length)
}

/// Takes fields off a binary form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// Takes a number of bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(ValueError::Length)?;
        self.0 = rest;
        Ok(*field)
    }

    /// Takes a 32-bit integer.
    pub(super) fn int32(&mut self) -> Result<i32, ValueError> {
        self.take().map(i32::from_be_bytes)
    }

    /// Takes a 32-bit count.
    pub(super) fn count(&mut self) -> Result<usize, ValueError> {
        usize::try_from(self.int32()?).map_err(|_| ValueError::Length)
    }

    /// Takes a 32-bit length and that many bytes; none for length -1.
    pub(super) fn sized(&mut self) -> Result<Option<&'a [u8]>, ValueError> {
        let length = self.int32()?;
        if length < 0 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| ValueError::Length)?;
        let (field, rest) = self.0.split_at_checked(length).ok_or(ValueError::Length)?;
        self.0 = rest;
        Ok(Some(field))
    }

    /// Takes a text that ends with a zero byte.
    pub(super) fn terminated(&mut self) -> Result<&'a [u8], ValueError> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(ValueError::Length)?;
        let (field, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(field)
    }

    /// Says that nothing may be left.
    pub(super) fn finish(self) -> Result<(), ValueError> {
        if self.0.is_empty() { Ok(()) } else { Err(ValueError::Length) }
    }
}
