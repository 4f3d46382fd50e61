//! Writing Avro in the registry's wire format: byte 0, the schema's id in 4 bytes, the datum.
//!
//! Hot path: [`AvroWriter::encode`] finds its plan by the address of the shared schema.

use std::{collections::HashMap, sync::Arc};

use sluice_core::{
    Error,
    change::ChangeSchema,
    record::Datum,
    schema::{Kind, Schema, SchemaRef},
    value::Value,
};

use super::{
    ConvertError, Encoded, Input, Role,
    options::{AvroOptions, Registration, SubjectStrategy},
};
use crate::{
    avro::{
        self, ChangeEncoder, Encoder,
        same::is_same,
        schema::{fixed_size, record_name},
    },
    schema_registry::{RegistryError, SchemaRegistry},
};

/// First byte of the wire format.
pub(super) const MAGIC: u8 = 0;
/// Plans kept; far more than tables with their versions. A transform that makes a schema for each record
/// must not fill the memory.
const MAX_PLANS: usize = 4_096;

/// How one schema is written to one topic.
struct Plan {
    topic: Arc<str>,
    prefix: [u8; 5],
    encoder: PlanEncoder,
}

/// The encoder with the schema it was compiled from, which it keeps at its address.
enum PlanEncoder {
    Datum(SchemaRef, Encoder),
    /// Bytes without their length.
    Bare(SchemaRef),
    Change(Arc<ChangeSchema>, ChangeEncoder),
}

/// Writes keys or values.
pub(super) struct AvroWriter {
    role: Role,
    options: AvroOptions,
    /// Plans by the address of the schema, which the plan keeps alive.
    plans: HashMap<usize, Vec<Plan>>,
}

impl AvroWriter {
    pub(super) fn new(role: Role, options: AvroOptions) -> Self {
        Self { role, options, plans: HashMap::new() }
    }

    /// Appends prefix and datum.
    pub(super) fn encode(
        &self,
        topic: &str,
        input: Input<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, ConvertError> {
        let plans = self.plans.get(&address(input)?);
        let Some(plan) = plans.and_then(|plans| plans.iter().find(|plan| &*plan.topic == topic)) else {
            return Ok(Encoded::Unprepared);
        };
        out.extend_from_slice(&plan.prefix);
        match (&plan.encoder, input) {
            (PlanEncoder::Datum(_, encoder), Input::Datum(datum)) => encoder.encode(&datum.value, out)?,
            (PlanEncoder::Bare(_), Input::Datum(Datum { value: Value::Bytes(bytes), .. })) => {
                out.extend_from_slice(bytes);
            }
            (PlanEncoder::Bare(_), Input::Datum(datum)) => {
                let found = datum.value.type_name();
                return Err(ConvertError::Unwritable { converter: "AvroConverter", found });
            }
            (PlanEncoder::Change(_, encoder), Input::Change(change)) => encoder.encode(change, out)?,
            _ => unreachable!("a datum's schema and a change's schema do not share an address"),
        }
        Ok(Encoded::Written)
    }

    /// Compiles the plan and finds the id.
    pub(super) async fn prepare(
        &mut self,
        registry: &SchemaRegistry,
        topic: &Arc<str>,
        input: Input<'_>,
    ) -> Result<(), Error> {
        let encoder = match input {
            Input::Datum(Datum { schema: Some(schema), .. })
                if self.options.bare_bytes && is_bare_bytes(schema) =>
            {
                PlanEncoder::Bare(Arc::clone(schema))
            }
            Input::Datum(Datum { schema: Some(schema), .. }) => {
                PlanEncoder::Datum(Arc::clone(schema), Encoder::compile(schema, &self.options.format)?)
            }
            Input::Datum(_) => return Err(ConvertError::NoSchema.into()),
            Input::Change(change) => PlanEncoder::Change(
                Arc::clone(&change.schema),
                ChangeEncoder::compile(&change.schema, &self.options.format)?,
            ),
        };
        let id = self.id(registry, topic, encoder.schema()).await?;
        let mut prefix = [MAGIC; 5];
        prefix[1..].copy_from_slice(&id.to_be_bytes());
        if self.plans.len() >= MAX_PLANS {
            self.plans.clear();
        }
        let plan = Plan { topic: Arc::clone(topic), prefix, encoder };
        self.plans.entry(address(input)?).or_default().push(plan);
        Ok(())
    }

    async fn id(&self, registry: &SchemaRegistry, topic: &str, schema: &Schema) -> Result<u32, Error> {
        let text = avro::schema::to_avro(schema, &self.options.format)?;
        let subject = self.subject(topic, schema)?;
        Ok(match self.options.registration {
            Registration::Register(normalize) => registry.register(&subject, &text, normalize).await?,
            Registration::Lookup(normalize) => registry.lookup(&subject, &text, normalize).await?,
            Registration::Latest => {
                let latest = registry.latest(&subject).await?;
                if !is_same(&latest.schema, &text)? {
                    return Err(RegistryError::NotLatest { subject, id: latest.id }.into());
                }
                latest.id
            }
            Registration::Id(id) => {
                if !is_same(&registry.schema(id).await?, &text)? {
                    return Err(RegistryError::OtherSchema { subject, id }.into());
                }
                id
            }
        })
    }

    fn subject(&self, topic: &str, schema: &Schema) -> Result<String, ConvertError> {
        let suffix = match self.role {
            Role::Key => "key",
            Role::Value => "value",
        };
        let name = || {
            let name = record_name(schema, &self.options.format);
            name.ok_or(ConvertError::NoName { kind: schema.kind.name() })
        };
        Ok(match self.options.strategy {
            SubjectStrategy::Topic => format!("{topic}-{suffix}"),
            SubjectStrategy::Record => name()?.into_owned(),
            SubjectStrategy::TopicRecord => format!("{topic}-{}", name()?),
        })
    }
}

impl PlanEncoder {
    fn schema(&self) -> &Schema {
        match self {
            Self::Datum(schema, _) | Self::Bare(schema) => schema,
            Self::Change(schema, _) => &schema.envelope,
        }
    }
}

/// Whether Confluent's serializer writes the bytes of such a key or value as they are.
pub(super) fn is_bare_bytes(schema: &Schema) -> bool {
    schema.kind == Kind::Bytes && !schema.optional && fixed_size(schema).is_none()
}

fn address(input: Input<'_>) -> Result<usize, ConvertError> {
    match input {
        Input::Datum(datum) => {
            datum.schema.as_ref().map(|schema| Arc::as_ptr(schema).addr()).ok_or(ConvertError::NoSchema)
        }
        Input::Change(change) => Ok(Arc::as_ptr(&change.schema).addr()),
    }
}
