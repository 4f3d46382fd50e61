//! `ReplaceField`: leaves fields out and renames them.
//!
//! Hot path. What becomes of a schema is derived once per schema.
//!
//! As in the original the struct's own schema loses *optional* and its default, and a null passes through.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    TransformError,
    cache::{ByAddress, Cache},
    side::{Fields, Side},
};
use crate::{
    config::{Fault, Names},
    error::Error,
    record::Record,
    schema::{Field, Kind, Schema, SchemaRef},
    transform::{Transform, TransformFactory, Transformed},
    value::{Struct, Value},
};

crate::config! {
    /// Properties of `ReplaceField$Key` and `ReplaceField$Value`.
    pub struct ReplaceFieldConfig {
        /// Fields to leave out; goes before `include`.
        "exclude" => exclude: Names,
        /// Old name of `exclude`.
        "blacklist" => blacklist: Names,
        /// Fields to keep; all of them when empty.
        "include" => include: Names,
        /// Old name of `include`.
        "whitelist" => whitelist: Names,
        /// Fields to rename, as `old:new` separated by commas. The old names are those that `include`
        /// and `exclude` mean.
        "renames" => renames: Names,
        /// Whether a null in a field that has a default becomes the default, as it does in Kafka Connect.
        "replace.null.with.default" => replace_null: bool = "true",
    }
}

/// Replaces fields of the key.
#[derive(Debug, Clone, Copy)]
pub struct ReplaceKeyField;

/// Replaces fields of the value.
#[derive(Debug, Clone, Copy)]
pub struct ReplaceValueField;

impl TransformFactory for ReplaceKeyField {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.ReplaceField$Key";
    type Config = ReplaceFieldConfig;
    type Transform = ReplaceField;

    fn build(&self, config: ReplaceFieldConfig) -> Result<ReplaceField, Vec<Fault>> {
        ReplaceField::new(Side::Key, config)
    }
}

impl TransformFactory for ReplaceValueField {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.ReplaceField$Value";
    type Config = ReplaceFieldConfig;
    type Transform = ReplaceField;

    fn build(&self, config: ReplaceFieldConfig) -> Result<ReplaceField, Vec<Fault>> {
        ReplaceField::new(Side::Value, config)
    }
}

/// A `ReplaceField` at work.
pub struct ReplaceField {
    side: Side,
    exclude: Vec<String>,
    include: Vec<String>,
    renames: BTreeMap<String, Arc<str>>,
    replace_null: bool,
    plans: Cache<ByAddress, Arc<Plan>>,
}

/// What becomes of structs of one schema.
struct Plan {
    schema: SchemaRef,
    /// For each field of the old schema, whether it stays.
    keep: Vec<bool>,
}

impl ReplaceField {
    fn new(side: Side, config: ReplaceFieldConfig) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut one_of = |name: &str, new: Names, old_name: &str, old: Names| {
            if !new.0.is_empty() && !old.0.is_empty() {
                let message = format!("is the old name of `{name}`, which is set too; remove one");
                faults.push(Fault::invalid(old_name, message));
            }
            if new.0.is_empty() { old.0 } else { new.0 }
        };
        let exclude = one_of("exclude", config.exclude, "blacklist", config.blacklist);
        let include = one_of("include", config.include, "whitelist", config.whitelist);
        let renames = parse_renames(&config.renames, &mut faults);
        match faults.is_empty() {
            true => Ok(Self {
                side,
                exclude,
                include,
                renames,
                replace_null: config.replace_null,
                plans: Cache::default(),
            }),
            false => Err(faults),
        }
    }

    fn keeps(&self, name: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|one| one == name);
        !listed(&self.exclude) && (self.include.is_empty() || listed(&self.include))
    }

    fn plan(&self, schema: &SchemaRef) -> Result<Arc<Plan>, TransformError> {
        self.plans.get_or_derive(ByAddress(Arc::clone(schema)), || {
            let keep: Vec<_> = schema.fields().iter().map(|field| self.keeps(&field.name)).collect();
            let mut fields: Vec<Field> = Vec::with_capacity(keep.len());
            for (field, _) in schema.fields().iter().zip(&keep).filter(|(_, keep)| **keep) {
                let name = self.renames.get(&*field.name).unwrap_or(&field.name);
                if fields.iter().any(|other| other.name == *name) {
                    return Err(TransformError::DuplicateField {
                        field: name.to_string(),
                        side: self.side.name(),
                    });
                }
                fields.push(Field::new(Arc::clone(name), Arc::clone(&field.schema)));
            }
            Ok(Arc::new(Plan { schema: with_fields(schema, fields), keep }))
        })
    }

    fn replace_struct(&self, value: Struct) -> Result<Struct, TransformError> {
        let plan = self.plan(value.schema())?;
        let (old, mut values) = value.into_parts();
        if self.replace_null {
            fill_defaults(&old, &mut values);
        }
        let mut keep = plan.keep.iter();
        values.retain(|_| keep.next().is_some_and(|keep| *keep));
        Ok(Struct::new(Arc::clone(&plan.schema), values))
    }

    fn replace_map(&self, pairs: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
        let replace = |(key, value): (Value, Value)| match key.as_str() {
            Some(name) if !self.keeps(name) => None,
            Some(name) => match self.renames.get(name) {
                Some(new) => Some((Value::from(&**new), value)),
                None => Some((key, value)),
            },
            None => Some((key, value)),
        };
        pairs.into_iter().filter_map(replace).collect()
    }
}

impl Transform for ReplaceField {
    fn apply(&self, record: Record) -> Result<Transformed, Error> {
        self.side.change_fields("ReplaceField", record, |fields| {
            Ok(match fields {
                Fields::Struct(value) => Fields::Struct(self.replace_struct(value)?),
                Fields::Map(pairs) => Fields::Map(self.replace_map(pairs)),
            })
        })
    }
}

/// Puts the default wherever a null stands in a field that has one; Connect's `Struct.get`.
pub(super) fn fill_defaults(schema: &Schema, values: &mut [Value]) {
    for (value, field) in values.iter_mut().zip(schema.fields()) {
        if let (Value::Null, Some(default)) = (&*value, &field.schema.default) {
            *value = default.clone();
        }
    }
}

/// Derives a struct schema with other fields, as Connect's `copySchemaBasics`: required and without default.
pub(super) fn with_fields(schema: &Schema, fields: Vec<Field>) -> SchemaRef {
    Schema {
        kind: Kind::Struct(fields),
        optional: false,
        default: None,
        name: schema.name.clone(),
        version: schema.version,
        doc: schema.doc.clone(),
        parameters: schema.parameters.clone(),
    }
    .shared()
}

fn parse_renames(mappings: &Names, faults: &mut Vec<Fault>) -> BTreeMap<String, Arc<str>> {
    let mut renames = BTreeMap::new();
    for mapping in &mappings.0 {
        match mapping.split_once(':') {
            Some((old, new)) if !old.is_empty() && !new.is_empty() && !new.contains(':') => {
                renames.insert(old.to_owned(), new.into());
            }
            _ => faults.push(Fault::invalid("renames", format!("expected old:new, got `{mapping}`"))),
        }
    }
    renames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Config as _, Properties},
        record::{Datum, Payload},
    };

    fn transform<const N: usize>(pairs: [(&str, &str); N]) -> ReplaceField {
        let config = ReplaceFieldConfig::from_properties(&Properties::from(pairs)).unwrap();
        ReplaceValueField.build(config).expect("the properties are right")
    }

    fn schema() -> SchemaRef {
        let fields = vec![
            Field::new("id", Schema::new(Kind::Int64)),
            Field::new("name", Schema::new(Kind::String).optional().with_default(Value::from("none"))),
            Field::new("age", Schema::new(Kind::Int32).optional()),
        ];
        Schema::record("row", fields).optional().shared()
    }

    fn record(value: Datum) -> Record {
        Record::new("t".into(), Datum::NULL, Payload::Plain(value))
    }

    fn row() -> Record {
        let schema = schema();
        let values = vec![Value::Int64(1), Value::Null, Value::Int32(40)];
        record(Datum::new(Arc::clone(&schema), Struct::new(schema, values).into()))
    }

    fn applied(transform: &ReplaceField, record: Record) -> Datum {
        match transform.apply(record).unwrap() {
            Transformed::Keep(Record { value: Payload::Plain(datum), .. }) => datum,
            other => panic!("{other:?}"),
        }
    }

    fn names(datum: &Datum) -> Vec<String> {
        datum.schema.as_ref().unwrap().fields().iter().map(|field| field.name.to_string()).collect()
    }

    #[test]
    fn excluded_fields_go_and_others_are_renamed() {
        let datum = applied(&transform([("exclude", "age"), ("renames", "name:title")]), row());

        assert_eq!(names(&datum), ["id", "title"]);
        assert_eq!(datum.value.as_struct().unwrap().values(), [Value::Int64(1), Value::from("none")]);
        assert!(!datum.schema.unwrap().optional, "as in the original, the struct becomes required");
    }

    #[test]
    fn null_stays_null_when_defaults_are_not_wanted() {
        let datum = applied(&transform([("include", "name"), ("replace.null.with.default", "false")]), row());

        assert_eq!(datum.value.as_struct().unwrap().values(), [Value::Null]);
    }

    #[test]
    fn old_property_names_work_and_do_not_mix_with_the_new() {
        assert_eq!(
            names(&applied(&transform([("whitelist", "id,age"), ("blacklist", "age")]), row())),
            ["id"]
        );

        let both = Properties::from([("include", "id"), ("whitelist", "id"), ("renames", "a:b:c")]);
        let config = ReplaceFieldConfig::from_properties(&both).unwrap();
        let faults = ReplaceKeyField.build(config).err().unwrap();
        assert_eq!(
            faults.iter().map(|fault| fault.property.as_str()).collect::<Vec<_>>(),
            ["whitelist", "renames"]
        );
    }

    #[test]
    fn schemaless_map_is_filtered_and_renamed() {
        let map = Value::Map(vec![(Value::from("a"), Value::Int64(1)), (Value::from("b"), Value::Int64(2))]);

        let datum =
            applied(&transform([("exclude", "a"), ("renames", "b:c")]), record(Datum::schemaless(map)));

        assert_eq!(datum, Datum::schemaless(Value::Map(vec![(Value::from("c"), Value::Int64(2))])));
    }

    #[test]
    fn tombstone_passes_and_a_scalar_is_refused() {
        let transform = transform([("exclude", "a")]);

        assert_eq!(applied(&transform, record(Datum::NULL)), Datum::NULL);
        let error = transform.apply(record(Datum::schemaless(Value::Int64(1)))).unwrap_err();
        assert_eq!(error.code(), "transform.not_a_struct");
    }

    #[test]
    fn name_taken_twice_is_refused() {
        let error = transform([("renames", "name:id")]).apply(row()).unwrap_err();

        assert_eq!(error.code(), "transform.duplicate_field");
    }
}
