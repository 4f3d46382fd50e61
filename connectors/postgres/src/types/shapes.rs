//! Values that are structs, maps and lists: points, geometry, vectors, hstore.
//!
//! Layouts: `geo_ops.c` and `hstore_io.c` of Postgres, `lwgeom_inout.c` of PostGIS, `vector.c`,
//! `halfvec.c` and `sparsevec.c` of pgvector. Schemas: Debezium 3.6.

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use sluice_core::schema::{Field, Kind, Schema, SchemaRef, debezium};
use sluice_core::value::{Struct, Value};

use super::ValueError;
use super::output::{Fields, Pairs, put_json_string};

/// Head of a point in well-known binary form: little-endian, type 1.
const WKB_POINT: [u8; 5] = [1, 1, 0, 0, 0];
/// Bit of the type in extended well-known binary form: an SRID follows.
const HAS_SRID: u32 = 0x2000_0000;
/// `GEOMETRYCOLLECTION EMPTY`, which stands where a geometry is required and none is known.
const EMPTY_COLLECTION: [u8; 9] = [1, 7, 0, 0, 0, 0, 0, 0, 0];

/// Schema of `point`.
pub(super) fn point_schema() -> Schema {
    let fields = vec![
        Field::new("x", Schema::new(Kind::Float64)),
        Field::new("y", Schema::new(Kind::Float64)),
        Field::new("wkb", Schema::new(Kind::Bytes).optional()),
        Field::new("srid", Schema::new(Kind::Int32).optional()),
    ];
    Schema::record(debezium::POINT, fields).versioned(1).documented("Geometry (POINT)")
}

/// Schema of PostGIS's `geometry` and `geography`.
pub(super) fn geometry_schema(name: &'static str, doc: &'static str) -> Schema {
    let fields = vec![
        Field::new("wkb", Schema::new(Kind::Bytes)),
        Field::new("srid", Schema::new(Kind::Int32).optional()),
    ];
    Schema::record(name, fields).versioned(1).documented(doc)
}

/// Schema of pgvector's `sparsevec`.
pub(super) fn sparse_vector_schema() -> Schema {
    let vector =
        Kind::Map { key: Schema::new(Kind::Int16).shared(), value: Schema::new(Kind::Float64).shared() };
    let fields =
        vec![Field::new("dimensions", Schema::new(Kind::Int16)), Field::new("vector", Schema::new(vector))];
    Schema::record(debezium::SPARSE_DOUBLE_VECTOR, fields).versioned(1).documented("Sparse double vector")
}

/// Schema of `hstore` as a map.
pub(super) fn hstore_schema() -> Schema {
    Schema::new(Kind::Map {
        key: Schema::new(Kind::String).shared(),
        value: Schema::new(Kind::String).optional().shared(),
    })
}

/// Reads a `point`.
pub(super) fn point(schema: &SchemaRef, value: &[u8], chunk: &mut BytesMut) -> Result<Value, ValueError> {
    let mut fields = Fields(value);
    let (x, y) = (f64::from_be_bytes(fields.take()?), f64::from_be_bytes(fields.take()?));
    fields.finish()?;
    Ok(point_of(schema, x, y, chunk))
}

/// Makes a point.
pub(super) fn point_of(schema: &SchemaRef, x: f64, y: f64, chunk: &mut BytesMut) -> Value {
    chunk.put_slice(&WKB_POINT);
    chunk.put_f64_le(x);
    chunk.put_f64_le(y);
    let wkb = Value::Bytes(chunk.split().freeze());
    let values = vec![Value::Float64(x), Value::Float64(y), wkb, Value::Null];
    Struct::new(SchemaRef::clone(schema), values).into()
}

/// Reads a geometry in extended well-known binary form, which is passed on as it is.
pub(super) fn geometry(schema: &SchemaRef, whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
    let (&[order, a, b, c, d], rest) = value.split_first_chunk::<5>().ok_or(ValueError::Length)?;
    let number = |bytes| if order == 0 { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    let srid = match number([a, b, c, d]) & HAS_SRID {
        0 => Value::Null,
        _ => {
            let (srid, _) = rest.split_first_chunk::<4>().ok_or(ValueError::Length)?;
            Value::Int32(number(*srid).cast_signed())
        }
    };
    Ok(Struct::new(SchemaRef::clone(schema), vec![Value::Bytes(whole.slice_ref(value)), srid]).into())
}

/// The geometry of nothing.
pub(super) fn empty_geometry(schema: &SchemaRef) -> Value {
    let wkb = Value::Bytes(Bytes::from_static(&EMPTY_COLLECTION));
    Struct::new(SchemaRef::clone(schema), vec![wkb, Value::Null]).into()
}

/// Reads the header of a dense vector and returns how many elements follow.
fn dimensions(fields: &mut Fields<'_>) -> Result<usize, ValueError> {
    let count = usize::from(u16::from_be_bytes(fields.take()?));
    fields.take::<2>()?;
    Ok(count)
}

/// Reads a `vector` as doubles of the digits that it prints: 0.1 stays 0.1.
pub(super) fn vector(value: &[u8]) -> Result<Value, ValueError> {
    let mut fields = Fields(value);
    let elements = (0..dimensions(&mut fields)?).map(|_| Ok(Value::Float64(printed(fields.take()?))));
    let elements = elements.collect::<Result<_, ValueError>>()?;
    fields.finish()?;
    Ok(Value::Array(elements))
}

fn printed(single: [u8; 4]) -> f64 {
    let single = f32::from_be_bytes(single);
    single.to_string().parse().unwrap_or_else(|_| single.into())
}

/// Reads a `halfvec`.
pub(super) fn half_vector(value: &[u8]) -> Result<Value, ValueError> {
    let mut fields = Fields(value);
    let count = dimensions(&mut fields)?;
    let elements = (0..count).map(|_| Ok(Value::Float32(half_to_single(u16::from_be_bytes(fields.take()?)))));
    let elements = elements.collect::<Result<_, ValueError>>()?;
    fields.finish()?;
    Ok(Value::Array(elements))
}

/// IEEE 754 half precision to single.
fn half_to_single(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (half >> 10 & 0x1F, f32::from(half & 0x3FF));
    sign * match exponent {
        0 => fraction * 2_f32.powi(-24),
        0x1F if fraction == 0.0 => f32::INFINITY,
        0x1F => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    }
}

/// Reads a `sparsevec`; places count from 1, as they are printed.
pub(super) fn sparse_vector(schema: &SchemaRef, value: &[u8]) -> Result<Value, ValueError> {
    let mut fields = Fields(value);
    let place = |place: i32| i16::try_from(place).map(Value::Int16).map_err(|_| ValueError::Range);
    let dimensions = place(fields.int32()?)?;
    let count = fields.count()?;
    fields.take::<4>()?;
    // Each element takes eight bytes, which bounds what is reserved for them.
    if count > fields.0.len() / 8 {
        return Err(ValueError::Length);
    }
    let places = (0..count).map(|_| place(fields.int32()?.saturating_add(1)));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let pairs = places.into_iter().map(|place| Ok((place, Value::Float64(printed(fields.take()?)))));
    let pairs = pairs.collect::<Result<_, ValueError>>()?;
    fields.finish()?;
    Ok(Struct::new(SchemaRef::clone(schema), vec![dimensions, Value::Map(pairs)]).into())
}

fn text(whole: &Bytes, bytes: &[u8]) -> Result<ByteString, ValueError> {
    ByteString::try_from(whole.slice_ref(bytes)).map_err(|_| ValueError::NotUtf8)
}

/// Reads an `hstore` as a map.
pub(super) fn hstore_map(whole: &Bytes, value: &[u8]) -> Result<Value, ValueError> {
    let pairs = ordered(Pairs::read(value)?, whole)?;
    let value = |value: Option<ByteString>| value.map_or(Value::Null, Value::String);
    Ok(Value::Map(pairs.into_iter().map(|(key, text)| (Value::String(key), value(text))).collect()))
}

/// Writes an `hstore` as a JSON object.
pub(super) fn put_hstore_json(whole: &Bytes, value: &[u8], out: &mut BytesMut) -> Result<(), ValueError> {
    out.put_u8(b'{');
    for (index, (key, value)) in ordered(Pairs::read(value)?, whole)?.into_iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        put_json_string(key.as_bytes(), out);
        out.put_u8(b':');
        match value {
            None => out.put_slice(b"null"),
            Some(value) => put_json_string(value.as_bytes(), out),
        }
    }
    out.put_u8(b'}');
    Ok(())
}

/// Orders pairs as a Java `HashMap` lists them: by bucket, then as they came. Debezium holds an
/// hstore in one, and the text that it writes shows the order.
fn ordered(pairs: Pairs<'_>, whole: &Bytes) -> Result<Vec<(ByteString, Option<ByteString>)>, ValueError> {
    let pair = |pair: Result<(&[u8], Option<&[u8]>), ValueError>| {
        let (key, value) = pair?;
        Ok((text(whole, key)?, value.map(|value| text(whole, value)).transpose()?))
    };
    let mut pairs = pairs.map(pair).collect::<Result<Vec<_>, ValueError>>()?;
    let buckets = java_buckets(pairs.len());
    pairs.sort_by_key(|(key, _)| java_hash(key) & (buckets - 1));
    Ok(pairs)
}

/// Size of the table after so many insertions: 16, doubled whenever it is more than three quarters full.
fn java_buckets(count: usize) -> u32 {
    let mut buckets = 16_u32;
    while u64::try_from(count).unwrap_or(u64::MAX) * 4 > u64::from(buckets) * 3 && buckets < 1 << 30 {
        buckets <<= 1;
    }
    buckets
}

/// `String.hashCode`, its upper half mixed in as `HashMap` does.
fn java_hash(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hstore(pairs: &[(&str, Option<&str>)]) -> Bytes {
        let sized =
            |text: &str| [&i32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
        let mut wire = i32::try_from(pairs.len()).unwrap().to_be_bytes().to_vec();
        for (key, value) in pairs {
            wire.extend(sized(key));
            wire.extend(value.map_or_else(|| vec![255; 4], sized));
        }
        wire.into()
    }

    fn json(pairs: &[(&str, Option<&str>)]) -> String {
        let (wire, mut out) = (hstore(pairs), BytesMut::new());
        put_hstore_json(&wire, &wire, &mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn hstore_becomes_the_json_that_was_recorded() {
        let pairs = [("a", Some("1")), ("b", None), ("c d", Some("x\"y"))];

        assert_eq!(json(&pairs), r#"{"a":"1","b":null,"c d":"x\"y"}"#);
        assert_eq!(json(&[]), "{}");
    }

    #[test]
    fn hstore_lists_its_keys_as_javas_hash_map_does() {
        // In this order Java 17 lists them.
        let keys = ["alpha", "beta", "gamma", "delta", "omega"];

        let listed = json(&keys.map(|key| (key, Some(""))));

        assert_eq!(listed, r#"{"alpha":"","delta":"","beta":"","gamma":"","omega":""}"#);
        assert_eq!(java_buckets(12), 16);
        assert_eq!(java_buckets(13), 32);
    }

    #[test]
    fn vectors_keep_the_digits_that_they_print() {
        let wire = [&[0, 2, 0, 0][..], &0.1_f32.to_be_bytes(), &(-2.5_f32).to_be_bytes()].concat();
        assert_eq!(vector(&wire), Ok(Value::Array(vec![Value::Float64(0.1), Value::Float64(-2.5)])));

        let wire = [0, 3, 0, 0, 0x3C, 0, 0xC1, 0, 0, 1];
        let halves = [1.0, -2.5, 2_f32.powi(-24)].map(Value::Float32);
        assert_eq!(half_vector(&wire), Ok(Value::Array(halves.to_vec())));
        assert!(half_vector(&wire[..9]).is_err());
    }

    #[test]
    fn sparse_vectors_count_from_one_and_end_at_sixteen_bits() {
        let schema = sparse_vector_schema().shared();
        let wire = |dimensions: i32| {
            let head = [dimensions, 2, 0, 200, 208].map(i32::to_be_bytes).concat();
            [head, [201_f32, 209.0].map(f32::to_be_bytes).concat()].concat()
        };

        let Value::Struct(value) = sparse_vector(&schema, &wire(3000)).unwrap() else { panic!("a struct") };
        let pairs =
            [(201, 201.0), (209, 209.0)].map(|(place, number)| (Value::Int16(place), Value::Float64(number)));
        assert_eq!(value.values(), [Value::Int16(3000), Value::Map(pairs.to_vec())]);
        assert_eq!(sparse_vector(&schema, &wire(40_000)), Err(ValueError::Range));
    }

    #[test]
    fn geometry_tells_its_reference_system() {
        let schema = geometry_schema(debezium::GEOMETRY, "Geometry").shared();
        // POINT(1 0) with SRID 4326, as PostGIS sends it.
        let mut wire = vec![1, 1, 0, 0, 0x20, 0xE6, 0x10, 0, 0];
        wire.extend([1.0_f64, 0.0].map(f64::to_le_bytes).concat());
        let wire = Bytes::from(wire);

        let Value::Struct(value) = geometry(&schema, &wire, &wire).unwrap() else { panic!("a struct") };
        assert_eq!(value.values(), [Value::Bytes(wire.clone()), Value::Int32(4326)]);
    }
}
