//! Settings made by chance.

use fastrand::Rng;

use super::kinds::one_of;
use super::table::{Freedom, Table};
use crate::case::Properties;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// Settings of which each case takes some.
pub(super) const SETTINGS: [(&str, &[&str]); 18] = [
    ("decimal.handling.mode", &["precise", "string", "double"]),
    (
        "time.precision.mode",
        &["adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"],
    ),
    ("binary.handling.mode", &["bytes", "base64", "base64-url-safe", "hex"]),
    ("interval.handling.mode", &["numeric", "string"]),
    ("hstore.handling.mode", &["json", "map"]),
    ("tombstones.on.delete", &["true", "false"]),
    ("skipped.operations", &["t", "none", "c", "u", "d", "u,t"]),
    ("schema.name.adjustment.mode", &["none", "avro"]),
    ("snapshot.mode", &["initial", "no_data", "when_needed"]),
    ("extended.headers.enabled", &["true", "false"]),
    ("include.schema.comments", &["true", "false"]),
    ("value.converter", &[JSON]),
    ("skip.messages.without.change", &["true", "false"]),
    ("publication.autocreate.mode", &["all_tables", "filtered"]),
    ("topic.delimiter", &["-", "_"]),
    ("unavailable.value.placeholder", &["?", "hex:2d2d"]),
    ("topic.heartbeat.prefix", &["heart"]),
    ("topic.naming.strategy", &["io.debezium.schema.SchemaUnicodeTopicNamingStrategy"]),
];

/// Settings that name columns, with what stands before the pattern.
const OF_COLUMNS: [(&str, &[&str]); 3] = [
    ("column.exclude.list", &["public\\..*\\.c1", "public\\.t1\\.(?!id|k).*[02468]"]),
    ("column.propagate.source.type", &["public\\.t0\\..*", ".*"]),
    ("datatype.propagate.source.type", &[".+\\.(varchar|numeric|int4)"]),
];

/// What hides values; the two programs agree on what is no text with `compatibility=debezium` only.
const MASKS: [&str; 4] = [
    "column.mask.with.4.chars",
    "column.truncate.to.3.chars",
    "column.mask.hash.SHA-256.with.salt.pepper",
    "column.mask.hash.v2.MD5.with.salt.pepper",
];

/// Takes some settings. Odd cases have `compatibility=debezium`, and settings that need it. Where schemas may be any
/// there is no registry that would refuse them.
pub(super) fn settings(rng: &mut Rng, freedom: Freedom, tables: &[Table]) -> Properties {
    let mut settings = Properties::new();
    for (name, values) in SETTINGS.iter().chain(&OF_COLUMNS) {
        if rng.u8(..4) == 0 {
            settings.insert((*name).to_owned(), one_of(rng, values));
        }
    }
    if tables.iter().any(Table::needs_a_timestamp) {
        // Debezium stops at a delete that does not tell it.
        settings.retain(|_, value| value != "nanoseconds");
    }
    let mut set = |name: &str, value: &str| settings.insert(name.to_owned(), value.to_owned());
    if freedom.any_schema {
        set("key.converter", JSON);
        set("value.converter", JSON);
    }
    if rng.u8(..6) == 0 {
        unwrap(rng, &mut set);
    }
    if freedom.odd {
        set("only.sluice.compatibility", "debezium");
        if rng.u8(..4) == 0 {
            // Without compatibility a transaction has one id.
            set("provide.transaction.metadata", "true");
        }
        if rng.u8(..5) == 0 {
            set(&one_of(rng, &MASKS), "public\\..*\\.c[0-4]");
        }
        if rng.u8(..4) == 0 {
            // Without compatibility a key must be in the replica identity and stay in the table.
            set("message.key.columns", &keys(tables));
            // A snapshot of Debezium's may stop at a key column that is not read.
            set("column.exclude.list", "");
        }
    }
    if settings.get("topic.delimiter").is_some_and(|delimiter| delimiter == "-") {
        // Names of schemas have it, too.
        settings.insert("schema.name.adjustment.mode".to_owned(), "avro".to_owned());
    }
    if settings.contains_key("value.converter") {
        // What Sluice does in any case: a NULL stays NULL.
        settings.insert("value.converter.replace.null.with.default".to_owned(), "false".to_owned());
    }
    settings.retain(|_, value| !value.is_empty());
    settings
}

/// Puts Debezium's unwrap in the way.
fn unwrap(rng: &mut Rng, set: &mut impl FnMut(&str, &str) -> Option<String>) {
    const MODES: [&str; 5] =
        ["drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"];

    set("transforms", "unwrap");
    set("transforms.unwrap.type", "io.debezium.transforms.ExtractNewRecordState");
    set("transforms.unwrap.delete.tombstone.handling.mode", &one_of(rng, &MODES));
    set("transforms.unwrap.replace.null.with.default", "false");
    let fields = one_of(rng, &["", "op,table,source.schema:from", "op,source.snapshot"]);
    set(one_of(rng, &["transforms.unwrap.add.fields", "transforms.unwrap.add.headers"]).as_str(), &fields);
}

fn keys(tables: &[Table]) -> String {
    let keys = tables.iter().filter_map(|table| {
        let columns: Vec<_> = table.key_columns().take(2).collect();
        (!columns.is_empty()).then(|| format!("public.\\Q{}\\E:{}", table.plain_name(), columns.join(",")))
    });
    keys.collect::<Vec<_>>().join(";")
}
