//! The envelope of the demo's `users` table as a struct known at compile time.

use serde::{Deserialize, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    before: Option<Row<'a>>,
    after: Option<Row<'a>>,
    source: Source<'a>,
    transaction: Option<Transaction<'a>>,
    op: &'a str,
    ts_ms: Option<i64>,
    ts_us: Option<i64>,
    ts_ns: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    id: &'a str,
    gender: &'a str,
    name_title: &'a str,
    name_first: &'a str,
    name_last: &'a str,
    street_number: i32,
    street_name: &'a str,
    city: &'a str,
    state: &'a str,
    country: &'a str,
    postcode: &'a str,
    #[serde(serialize_with = "as_bytes")]
    latitude: &'a [u8],
    #[serde(serialize_with = "as_bytes")]
    longitude: &'a [u8],
    timezone_offset: &'a str,
    timezone_description: &'a str,
    email: &'a str,
    username: &'a str,
    dob: &'a str,
    registered: &'a str,
    phone: Option<&'a str>,
    cell: Option<&'a str>,
    national_id_name: &'a str,
    national_id_value: Option<&'a str>,
    picture_url: Option<&'a str>,
    nat: &'a str,
    raw: &'a str,
    created_at: &'a str,
    updated_at: &'a str,
    version: i32,
}

#[derive(Serialize, Deserialize)]
struct Source<'a> {
    version: &'a str,
    connector: &'a str,
    name: &'a str,
    ts_ms: i64,
    snapshot: Option<&'a str>,
    db: &'a str,
    sequence: Option<&'a str>,
    ts_us: Option<i64>,
    ts_ns: Option<i64>,
    schema: &'a str,
    table: &'a str,
    #[serde(rename = "txId")]
    tx_id: Option<i64>,
    lsn: Option<i64>,
    xmin: Option<i64>,
    origin: Option<&'a str>,
    origin_lsn: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Transaction<'a> {
    id: &'a str,
    total_order: i64,
    data_collection_order: i64,
}

/// Writes bytes as such, where serde would make a list of numbers of them.
fn as_bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}
