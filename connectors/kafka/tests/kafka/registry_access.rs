//! How the registry lets us in: credentials, TLS, a proxy; and which schema it is asked for.

use std::fs;

use sluice_core::{
    Error, ErrorClass, Record,
    config::Properties,
    record::{Datum, Payload},
    schema::{Kind, Schema},
    sink::Sink as _,
};

use crate::{
    front::{Authority, Front},
    servers::{avro, fresh, open_sink, open_source, read, registry},
    table::Table,
};

/// `ann:secret` as an HTTP header has it.
const ANN: &str = "Basic YW5uOnNlY3JldA==";

/// Properties with settings of both converters.
fn with(settings: &[(&str, &str)]) -> Properties {
    let mut properties = avro(&[]);
    for converter in ["key.converter", "value.converter"] {
        settings.iter().for_each(|(key, value)| properties.set(format!("{converter}.{key}"), *value));
    }
    properties
}

/// Writes a change.
async fn write(properties: &Properties, table: &Table) -> Result<(), Error> {
    let mut sink = open_sink(properties).await?;
    sink.write(&[table.change(1, Some("a"), 1)]).await?;
    assert!(sink.flush(None).await?.rejected.is_empty());
    Ok(())
}

fn told(result: Result<(), Error>) -> (ErrorClass, &'static str, String) {
    let error = result.expect_err("the registry refuses");
    (error.class(), error.code(), error.hint().unwrap_or_default())
}

async fn ask(path: &str, body: Option<serde_json::Value>) -> serde_json::Value {
    let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client without TLS");
    let url = format!("{}/{path}", registry());
    let request = match body {
        Some(body) => client.post(url).json(&body),
        None => client.get(url),
    };
    let answer = request.send().await.expect("the registry answers");
    let answer = answer.error_for_status().expect("the registry has it");
    answer.json().await.expect("it is JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn user_and_password_open_the_registry_and_wrong_ones_stop() {
    let front = Front::start(None, Some(ANN)).await;
    let url = front.url("http");
    let in_url = url.replace("://", "://ann:secret@");
    let table = Table::new(&fresh("basic"));
    let jaas = r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="secret";"#;
    let source = |source| ("basic.auth.credentials.source", source);
    let url = ("schema.registry.url", url.as_str());

    let right = [
        with(&[url, source("USER_INFO"), ("basic.auth.user.info", "ann:secret")]),
        with(&[url, source("SASL_INHERIT"), ("sasl.jaas.config", jaas)]),
        with(&[("schema.registry.url", &in_url)]),
    ];
    for properties in right {
        write(&properties, &table).await.unwrap();
    }
    let wrong = with(&[url, source("USER_INFO"), ("basic.auth.user.info", "ann:other")]);
    let (class, code, hint) = told(write(&wrong, &table).await);

    assert_eq!((class, code), (ErrorClass::Stop, "kafka.registry_unauthorized"));
    assert!(hint.contains("basic.auth.user.info"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bearer_token_opens_the_registry() {
    let front = Front::start(None, Some("Bearer token-1")).await;
    let url = front.url("http");
    let table = Table::new(&fresh("bearer"));

    write(&with(&[("schema.registry.url", &url), ("bearer.auth.token", "token-1")]), &table).await.unwrap();
    let (class, code, _) = told(write(&with(&[("schema.registry.url", &url)]), &table).await);

    assert_eq!((class, code), (ErrorClass::Stop, "kafka.registry_unauthorized"));
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_is_trusted_by_its_authority_and_by_no_other() {
    let authority = Authority::new();
    let front = Front::start(Some(authority.acceptor(None)), None).await;
    let url = front.url("https");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, authority.pem()).unwrap();
    let table = Table::new(&fresh("tls"));
    let url = ("schema.registry.url", url.as_str());

    let by_file = ("schema.registry.ssl.truststore.location", file.to_str().unwrap());
    write(&with(&[url, by_file]), &table).await.unwrap();
    let pem = authority.pem();
    write(&with(&[url, ("schema.registry.ssl.truststore.certificates", &pem)]), &table).await.unwrap();
    let other = Authority::new().pem();
    let other =
        told(write(&with(&[url, ("schema.registry.ssl.truststore.certificates", &other)]), &table).await);

    assert_eq!((other.0, other.1), (ErrorClass::Stop, "kafka.registry_handshake"));
    assert!(other.2.contains("schema.registry.ssl.truststore.location"), "{}", other.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_that_asks_for_a_certificate_gets_ours() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let front = Front::start(Some(authority.acceptor(Some(&clients))), None).await;
    let (url, trusted, own) = (front.url("https"), authority.pem(), clients.sign());
    let table = Table::new(&fresh("mtls"));
    let trust = [("schema.registry.url", &*url), ("schema.registry.ssl.truststore.certificates", &*trusted)];
    let identity = [
        ("schema.registry.ssl.keystore.certificate.chain", &*own.chain),
        ("schema.registry.ssl.keystore.key", &*own.key),
    ];

    write(&with(&[trust, identity].concat()), &table).await.unwrap();
    // In TLS 1.3 the client is refused after its handshake: at times it sees the connection close before it reads why, and
    // tries again.
    let mut without = told(write(&with(&trust), &table).await);
    for _ in 0..20 {
        if without.0 != ErrorClass::Retry {
            break;
        }
        without = told(write(&with(&trust), &table).await);
    }

    assert_eq!((without.0, without.1), (ErrorClass::Stop, "kafka.registry_handshake"));
    assert!(without.2.contains("schema.registry.ssl.keystore.location"), "{}", without.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_is_asked_and_headers_are_sent() {
    let front = Front::start(None, None).await;
    let behind = front.url("http").replace(&format!("127.0.0.1:{}", front.port()), "registry.invalid");
    let port = front.port();
    let settings = [
        ("schema.registry.url", &*behind),
        ("proxy.host", "127.0.0.1"),
        ("proxy.port", &*port),
        ("request.header.X-Team", "shop"),
    ];

    write(&with(&settings), &Table::new(&fresh("proxy"))).await.unwrap();

    let heads = front.heads();
    assert!(heads.iter().all(|head| head.starts_with("POST http://registry.invalid/")), "{heads:?}");
    assert!(heads.iter().all(|head| head.to_lowercase().contains("x-team: shop")), "{heads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_are_named_after_records_where_asked_for() {
    let topic = fresh("named");
    let strategy = |name: &str| format!("io.confluent.kafka.serializers.subject.{name}");
    let (record, both) = (strategy("RecordNameStrategy"), strategy("TopicRecordNameStrategy"));
    let properties = with(&[("key.subject.name.strategy", &record), ("value.subject.name.strategy", &both)]);

    write(&properties, &Table::new(&topic)).await.unwrap();

    for subject in [format!("{topic}.Key"), format!("{topic}-{topic}.Envelope")] {
        assert_eq!(ask(&format!("subjects/{subject}/versions"), None).await, serde_json::json!([1]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_or_named_version_is_used_if_it_differs_in_documentation_only() {
    let topic = fresh("latest");
    let table = Table::new(&topic);
    write(&with(&[("normalize.schemas", "true")]), &table).await.unwrap();
    let first = ask(&format!("subjects/{topic}-value/versions/latest"), None).await;
    let mut documented: serde_json::Value = serde_json::from_str(first["schema"].as_str().unwrap()).unwrap();
    documented["doc"] = "written by hand".into();
    let body = serde_json::json!({ "schema": documented.to_string() });
    let second = ask(&format!("subjects/{topic}-value/versions"), Some(body)).await;
    let (first, second) = (first["id"].to_string(), second["id"].to_string());
    assert_ne!(first, second);
    let off = ("value.converter.auto.register.schemas", "false");

    for version in
        [("value.converter.use.latest.version", "true"), ("value.converter.use.schema.id", &*second)]
    {
        write(&avro(&[off, version]), &table).await.unwrap();
    }
    let changed = Table::with_columns(&topic, &["age"]);
    let latest = told(write(&avro(&[off, ("value.converter.use.latest.version", "true")]), &changed).await);
    let named = told(write(&avro(&[off, ("value.converter.use.schema.id", &first)]), &changed).await);

    assert_eq!((latest.0, latest.1), (ErrorClass::Stop, "kafka.schema_not_latest"));
    assert_eq!((named.0, named.1), (ErrorClass::Stop, "kafka.schema_other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_stand_without_their_length_with_confluents_converter_only() {
    let bytes =
        || Datum::new(Schema::new(Kind::Bytes).shared(), sluice_core::Value::Bytes(vec![4, 7, 8].into()));
    let apicurio = avro(&[
        ("value.converter", "io.apicurio.registry.utils.converter.AvroConverter"),
        ("value.converter.apicurio.registry.as-confluent", "true"),
        ("value.converter.apicurio.registry.use-id", "contentId"),
        ("value.converter.apicurio.registry.auto-register", "true"),
    ]);
    let mut read_as = Vec::new();

    for writer in [avro(&[]), apicurio.clone()] {
        let topic = fresh("bytes");
        let mut sink = open_sink(&writer).await.unwrap();
        let record = Record::new(topic.as_str().into(), Datum::NULL, Payload::Plain(bytes()));
        sink.write(&[record]).await.unwrap();
        assert!(sink.flush(None).await.unwrap().rejected.is_empty());
        let mut reader = avro(&[("topics", &topic)]);
        reader.set("topics", &*topic);
        let mut source = open_source(&topic, &reader).await.unwrap();
        let got = read(&mut source, 1).await.records.remove(0);
        let Payload::Plain(datum) = got.value else { panic!("a plain value") };
        read_as.push(datum.value);
    }

    let value = |bytes: &[u8]| sluice_core::Value::Bytes(bytes.to_vec().into());
    assert_eq!(read_as, [value(&[4, 7, 8]), value(&[6, 4, 7, 8])]);
}
