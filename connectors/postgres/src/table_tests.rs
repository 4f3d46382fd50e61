use bytes::Bytes;
use serde_json::{Value as Json, json};
use sluice_core::schema::Kind;

use super::*;
use crate::catalog::ColumnFacts;
use crate::config::from_pairs;
use crate::pgoutput::{RelationColumn, ReplicaIdentity};
use crate::types::TypeRow;

const BIGSERIAL: &str = "nextval('users_id_seq'::regclass)";

struct Column(&'static str, u32, &'static str, i32, bool, Option<&'static str>);

/// The users table of `golden/users_json.json`.
fn users() -> [Column; 13] {
    [
        Column("id", 20, "int8", -1, true, Some(BIGSERIAL)),
        Column("username", 1043, "varchar", 54, true, None),
        Column("email", 1043, "varchar", 259, false, None),
        Column("first_name", 25, "text", -1, false, None),
        Column("last_name", 25, "text", -1, false, None),
        Column("phone", 1043, "varchar", 24, false, None),
        Column("city", 25, "text", -1, false, None),
        Column("country", 1042, "bpchar", 6, false, None),
        Column("bio", 25, "text", -1, false, None),
        Column("balance", 1700, "numeric", (12 << 16 | 2) + 4, false, Some("0")),
        Column("active", 16, "bool", -1, true, Some("true")),
        Column(
            "created_at",
            1184,
            "timestamptz",
            -1,
            true,
            Some("'2026-01-01 00:00:00+00'::timestamp with time zone"),
        ),
        Column("updated_at", 1114, "timestamp", 3, false, None),
    ]
}

/// Compiles that table.
pub(crate) fn compile(config: &PostgresConfig, identity: ReplicaIdentity) -> Result<Table, SourceError> {
    let columns = users();
    let relation = Relation {
        xid: None,
        relation_id: 1,
        namespace: "public".into(),
        name: "users".into(),
        replica_identity: identity,
        columns: columns
            .iter()
            .map(|Column(name, type_id, _, type_modifier, ..)| RelationColumn {
                key: match identity {
                    ReplicaIdentity::Index => *name == "username",
                    _ => *name == "id",
                },
                name: (*name).into(),
                type_id: *type_id,
                type_modifier: *type_modifier,
            })
            .collect(),
    };
    let fact = |Column(name, type_oid, type_name, type_modifier, not_null, default): &Column| ColumnFacts {
        name: (*name).to_owned(),
        type_oid: *type_oid,
        type_modifier: *type_modifier,
        type_name: (*type_name).to_owned(),
        not_null: *not_null,
        default: default.map(str::to_owned),
        identity: *name == "id",
        unvalidated: false,
    };
    let facts = TableFacts { columns: columns.iter().map(fact).collect(), key: vec!["id".to_owned()] };
    let type_ = |Column(_, oid, name, ..): &Column| {
        (
            *oid,
            TypeRow {
                name: (*name).to_owned(),
                kind: 'b',
                base_modifier: -1,
                sends: true,
                ..TypeRow::default()
            },
        )
    };
    let types = TypeCatalog(columns.iter().map(type_).collect());
    let defaults = HashMap::from([
        ("balance".to_owned(), Value::Bytes(Bytes::from_static(&[0]))),
        ("active".to_owned(), Value::Boolean(true)),
        ("created_at".to_owned(), Value::from_static("2026-01-01T00:00:00.000000Z")),
    ]);
    let described_by = DescribedBy::Stream;
    Table::compile(
        relation,
        &TableInput { config, facts: &facts, types: &types, defaults: &defaults, described_by },
    )
}

/// Writes a schema as Kafka's JSON converter does.
pub(crate) fn connect_json(schema: &Schema, field: Option<&str>) -> Json {
    let mut json = json!({ "type": schema.kind.name(), "optional": schema.optional });
    match &schema.kind {
        Kind::Struct(fields) => {
            json["fields"] =
                fields.iter().map(|field| connect_json(&field.schema, Some(&field.name))).collect();
        }
        Kind::Map { key, value } => {
            json["keys"] = connect_json(key, None);
            json["values"] = connect_json(value, None);
        }
        Kind::Float32 => json["type"] = "float".into(),
        Kind::Float64 => json["type"] = "double".into(),
        _ => {}
    }
    if let Some(name) = &schema.name {
        json["name"] = (**name).into();
    }
    if let Some(version) = schema.version {
        json["version"] = version.into();
    }
    for (key, value) in &schema.parameters {
        json["parameters"][&**key] = (**value).into();
    }
    match &schema.default {
        None => {}
        Some(Value::Boolean(value)) => json["default"] = (*value).into(),
        Some(Value::Int64(value)) => json["default"] = (*value).into(),
        Some(Value::String(value)) => json["default"] = (**value).into(),
        Some(Value::Bytes(value)) => {
            use base64::Engine as _;
            json["default"] = base64::engine::general_purpose::STANDARD.encode(value).into();
        }
        Some(other) => panic!("no default of type {}", other.type_name()),
    }
    if let Some(field) = field {
        json["field"] = field.into();
    }
    json
}

#[test]
fn schemas_of_the_users_table_are_those_that_debezium_sent() {
    let golden: Json = serde_json::from_str(include_str!("testdata/users_schemas.json")).unwrap();
    let config = from_pairs(&[("topic.prefix", "users_json")]).unwrap();

    let table = compile(&config, ReplicaIdentity::Default).unwrap();

    assert_eq!(&*table.topic, "users_json.public.users");
    assert_eq!(connect_json(table.schema.key.as_ref().unwrap(), None), golden["key_schema"]);
    assert_eq!(connect_json(&table.schema.envelope, None), golden["value_schema"]);
}

#[test]
fn excluded_columns_leave_row_and_plan() {
    let config = from_pairs(&[("column.exclude.list", "public.users.(bio|phone)")]).unwrap();
    let table = compile(&config, ReplicaIdentity::Default).unwrap();

    assert_eq!(table.schema.row.fields().len(), 11);
    assert_eq!(table.columns.iter().filter(|plan| plan.is_none()).count(), 2);
}

#[test]
fn excluded_columns_stay_in_the_key() {
    let config = from_pairs(&[("column.exclude.list", "public.users.id")]).unwrap();

    let table = compile(&config, ReplicaIdentity::Default).unwrap();

    assert_eq!(&*table.schema.key.as_ref().unwrap().fields()[0].name, "id");
    assert!(table.schema.row.fields().iter().all(|field| &*field.name != "id"));
    assert_eq!((table.key_only[0].place, table.row_width()), (0, 13));
}

#[test]
fn identity_that_misses_the_key_is_refused() {
    let config = from_pairs(&[]).unwrap();

    let error = compile(&config, ReplicaIdentity::Index).unwrap_err();

    assert!(matches!(&error, SourceError::IdentityMissesKey { column, .. } if column == "id"), "{error}");
    let keyed = from_pairs(&[("message.key.columns", "public.users:username")]).unwrap();
    let table = compile(&keyed, ReplicaIdentity::Index).unwrap();
    assert_eq!(table.key_rows, [1]);
}

#[test]
fn debeziums_keys_leave_out_columns_that_the_table_lacks() {
    let table = |keys: &str, compatibility: &str| {
        let config = from_pairs(&[("message.key.columns", keys), ("compatibility", compatibility)]).unwrap();
        compile(&config, ReplicaIdentity::Full)
    };

    assert_eq!(table("public.users:gone,username", "debezium").unwrap().key_rows, [1]);
    assert_eq!(table("public.users:gone", "debezium").unwrap().key_rows, [0]);
    let error = table("public.users:gone,username", "correct").unwrap_err();
    assert!(matches!(&error, SourceError::KeyColumnMissing { column, .. } if column == "gone"), "{error}");
}

#[test]
fn debeziums_rows_have_keys_of_zeros() {
    let config = from_pairs(&[("compatibility", "debezium")]).unwrap();

    let table = compile(&config, ReplicaIdentity::Index).unwrap();

    let plans: Vec<_> = table.columns.iter().flatten().collect();
    assert_eq!(plans[0].absent, Value::Int64(0));
}

#[test]
fn absent_values_are_null_or_what_debezium_invents() {
    let table = compile(&from_pairs(&[]).unwrap(), ReplicaIdentity::Default).unwrap();
    let absent: Vec<_> = table.columns.iter().flatten().map(|plan| plan.absent.clone()).collect();

    assert_eq!(absent[1], Value::from_static(""));
    assert_eq!(absent[2], Value::Null);
    assert_eq!(absent[9], Value::Null);
    assert_eq!(absent[10], Value::Boolean(true));
}

#[test]
fn defaults_are_told_apart_by_form() {
    let constants = [
        "5",
        "(-5)",
        "1.25",
        "true",
        "'x'::text",
        "'it''s'::character varying(20)",
        "'2020-01-01 00:00:00+00'::timestamp with time zone",
        "'ok'::public.mood",
        "'{}'::jsonb",
        "'-5'::integer",
    ];
    for expression in constants {
        assert_eq!(default_form(expression), DefaultForm::Constant, "{expression}");
    }
    for expression in [
        "now()",
        "nextval('s'::regclass)",
        "public.\"Make\"(1)",
        "gen_random_uuid()",
        "CURRENT_TIMESTAMP",
        "CURRENT_TIMESTAMP(3)",
        "CURRENT_DATE",
    ] {
        assert_eq!(default_form(expression), DefaultForm::Function, "{expression}");
    }
    for expression in ["CURRENT_USER", "(1 + 2)", "('a'::text || 'b'::text)", "NULL::text"] {
        assert_eq!(default_form(expression), DefaultForm::Other, "{expression}");
    }
}
