use sluice_core::{
    config::{Config as _, Properties},
    record::{EventPosition, LogOffset},
    testkit::{
        SinkHarness, config,
        memory::{key_text, text_record},
        sink::State,
    },
};

use super::*;

/// What was printed, and whether the reader has gone.
#[derive(Debug, Clone, Default)]
struct Printed {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: bool,
}

impl Printed {
    fn lines(&self) -> Vec<String> {
        let bytes = self.bytes.lock().unwrap();
        String::from_utf8(bytes.clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.closed {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => self.bytes.lock().unwrap().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn config<const N: usize>(pairs: [(&str, &str); N]) -> StdoutConfig {
    StdoutConfig::from_properties(&Properties::from(pairs)).unwrap()
}

fn printed(config: &StdoutConfig, record: &Record) -> Json {
    serde_json::from_str(&line(config, record)).unwrap()
}

#[derive(Default)]
struct Harness(Printed);

impl SinkHarness for Harness {
    type Sink = StdoutSink<Printed>;

    async fn open(&self) -> Result<Self::Sink, Error> {
        Ok(StdoutSink::new(config([]), self.0.clone()))
    }

    fn records(&self) -> Vec<Record> {
        let record = |key, value| text_record("t", key, value);
        vec![record("a", Some("1")), record("b", Some("2")), record("a", Some("3")), record("b", None)]
    }

    fn expected(&self) -> State {
        [("a".to_owned(), "3".to_owned())].into()
    }

    /// What a reader of the lines knows: the last value of each key.
    async fn state(&self) -> State {
        let mut state = State::new();
        for line in self.0.lines() {
            let line: Json = serde_json::from_str(&line).unwrap();
            let key = line["key"].as_str().unwrap().to_owned();
            match line["value"].as_str() {
                Some(value) => state.insert(key, value.to_owned()),
                None => state.remove(&key),
            };
        }
        state
    }

    fn refused(&self) -> Option<Record> {
        None
    }
}

sluice_core::sink_conformance!(Harness::default());

#[test]
fn faults_name_their_property() {
    config::check_sink(Stdout, &Properties::default()).unwrap();
}

#[test]
fn headers_without_json_are_warned_about() {
    let faults = Stdout.validate(&config([("stdout.format", "text"), ("stdout.headers", "false")]));

    assert_eq!(faults[0].property, "stdout.headers");
}

#[test]
fn json_line_holds_the_whole_record() {
    let mut record = text_record("users", "ann", Some("x"));
    record.timestamp = Some(5);
    record.headers.push("h", Datum::schemaless(Value::Int8(1)));
    record.origin.log = Some(LogOffset { topic: "users".into(), partition: 2, offset: 7 });

    let expected = json!({
        "topic": "users", "position": "users-2@7", "timestamp": 5, "key": "ann", "value": "x",
        "headers": [{ "key": "h", "value": 1 }],
    });
    assert_eq!(printed(&config([]), &record), expected);
}

#[test]
fn commit_position_goes_before_the_place_in_the_log() {
    let mut record = text_record("users", "ann", None);
    record.origin.event = Some(EventPosition { epoch: 1, commit: 16, index: 0, count: 2 });

    let line = printed(&config([("stdout.headers", "false")]), &record);

    assert_eq!(line["position"], "1/16/0/2");
    assert!(line.get("headers").is_none());
}

#[test]
fn text_line_is_topic_key_value() {
    let record = text_record("users", "ann", Some("x"));

    assert_eq!(line(&config([("stdout.format", "text")]), &record), "users \"ann\" \"x\"\n");
    assert_eq!(key_text(&record), "ann");
}

#[test]
fn values_without_a_json_form_are_text() {
    let values = Value::Array(vec![
        Value::Float64(f64::NAN),
        Value::Bytes(vec![255].into()),
        Value::Unavailable,
        Value::Map(vec![(Value::Int8(1), Value::Null)]),
    ]);

    assert_eq!(value_json(&values), json!(["NaN", "/w==", "__debezium_unavailable_value", [[1, null]]]));
}

#[tokio::test]
async fn reader_that_went_stops_the_task() {
    let mut sink = StdoutSink::new(config([]), Printed { closed: true, ..Printed::default() });

    let error = sink.write(&[text_record("t", "k", None)]).await.unwrap_err();

    assert_eq!((error.class(), error.code()), (ErrorClass::Stop, "stdout.closed"));
}
