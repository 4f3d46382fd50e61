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

impl Class {
    /// Finds a class by its full name, or its simple name; the simple `AvroConverter` is Confluent's.
    ///
    /// # Errors
    /// What is known, as a phrase.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let full = CLASSES.iter().find(|(class, _)| *class == name);
        let simple = || CLASSES.iter().find(|(class, _)| class.rsplit('.').next() == Some(name));
        full.or_else(simple).map(|(_, class)| *class).ok_or_else(|| {
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
        assert!(Class::parse("ProtobufConverter").is_err_and(|message| message.contains("JsonConverter")));
    }
}
