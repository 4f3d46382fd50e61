//! The class names that users have in their files.

/// A converter class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Avro with Confluent's settings.
    ConfluentAvro,
    /// Avro with Apicurio's settings, in Confluent's wire format.
    ApicurioAvro,
    /// JSON.
    Json,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

const CLASSES: [(&str, Class); 5] = [
    ("io.confluent.connect.avro.AvroConverter", Class::ConfluentAvro),
    ("io.apicurio.registry.utils.converter.AvroConverter", Class::ApicurioAvro),
    ("org.apache.kafka.connect.json.JsonConverter", Class::Json),
    ("org.apache.kafka.connect.storage.StringConverter", Class::Text),
    ("org.apache.kafka.connect.converters.ByteArrayConverter", Class::Bytes),
];

const NUMBERS: &str = "keys and values of a source connector are structs: use the JSON or the Avro converter";

/// Classes of Kafka Connect's world that are not supported, with what to use instead.
const REFUSED: [(&str, &str); 12] = [
    (
        "io.confluent.connect.protobuf.ProtobufConverter",
        "use the Avro converter with the same registry; docs/adr/0005 says why",
    ),
    (
        "io.confluent.connect.json.JsonSchemaConverter",
        "use the Avro converter, or the JSON converter, whose messages carry their schema",
    ),
    (
        "io.apicurio.registry.utils.converter.ExtJsonConverter",
        "use the Avro converter, or Connect's JSON converter",
    ),
    (
        "io.debezium.converters.CloudEventsConverter",
        "use the JSON converter and let the reader make CloudEvents of the envelope",
    ),
    (
        "io.debezium.converters.BinaryDataConverter",
        "use org.apache.kafka.connect.converters.ByteArrayConverter",
    ),
    (
        "io.debezium.converters.ByteArrayConverter",
        "use org.apache.kafka.connect.converters.ByteArrayConverter",
    ),
    ("org.apache.kafka.connect.converters.BooleanConverter", NUMBERS),
    ("org.apache.kafka.connect.converters.DoubleConverter", NUMBERS),
    ("org.apache.kafka.connect.converters.FloatConverter", NUMBERS),
    ("org.apache.kafka.connect.converters.IntegerConverter", NUMBERS),
    ("org.apache.kafka.connect.converters.LongConverter", NUMBERS),
    ("org.apache.kafka.connect.converters.ShortConverter", NUMBERS),
];

impl Class {
    /// Finds a class by its full name, or its simple name; the simple `AvroConverter` is Confluent's.
    ///
    /// # Errors
    /// What is known or to be used instead, as a phrase.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let full = CLASSES.iter().find(|(class, _)| *class == name);
        let simple = || CLASSES.iter().find(|(class, _)| class.rsplit('.').next() == Some(name));
        full.or_else(simple).map(|(_, class)| *class).ok_or_else(|| {
            let refused =
                REFUSED.iter().find(|(class, _)| *class == name || class.rsplit('.').next() == Some(name));
            if let Some((class, instead)) = refused {
                return format!("`{class}` is not supported: {instead}");
            }
            let known: Vec<_> = CLASSES.iter().map(|(class, _)| *class).collect();
            format!("unknown converter `{name}`; known: {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_full_and_by_simple_name() {
        assert_eq!(Class::parse("AvroConverter"), Ok(Class::ConfluentAvro));
        assert_eq!(
            Class::parse("io.apicurio.registry.utils.converter.AvroConverter"),
            Ok(Class::ApicurioAvro)
        );
        assert_eq!(Class::parse("ByteArrayConverter"), Ok(Class::Bytes));
        assert!(Class::parse("XmlConverter").is_err_and(|message| message.contains("JsonConverter")));
    }

    #[test]
    fn unsupported_class_is_refused_with_another() {
        let refused = |class| Class::parse(class).unwrap_err();

        assert!(refused("ProtobufConverter").contains("use the Avro converter"));
        assert!(refused("io.debezium.converters.ByteArrayConverter").contains("org.apache.kafka.connect"));
    }
}
