//! Feeder, comparison and record counts against a real Postgres, Cassandra and Kafka.
//!
//! `cargo xtask test` starts the servers and sets SLUICE_TEST_POSTGRES (its database name is replaced), SLUICE_TEST_CASSANDRA
//! and SLUICE_TEST_KAFKA. Each test has a database and a keyspace of its own and removes both.

#![allow(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use scylla::client::session::Session;
use sluice_users::compare::{Comparison, Difference, Tables, compare, wait_until_equal};
use sluice_users::feeder::{Feeder, Mix, Operation};
use sluice_users::topic::{Records, Topic};
use sluice_users::verify::{Expected, Places, verify};
use sluice_users::{cassandra, init, postgres};
use tokio_postgres::Client;
use uuid::Uuid;

/// The users table as a sink creates it.
const CREATE_TABLE: &str = "(id uuid PRIMARY KEY, gender text, name_title text, name_first text, name_last text, \
    street_number int, street_name text, city text, state text, country text, postcode text, latitude decimal, \
    longitude decimal, timezone_offset text, timezone_description text, email text, username text, dob timestamp, \
    registered timestamp, phone text, cell text, national_id_name text, national_id_value text, picture_url text, \
    nat text, raw text, created_at timestamp, updated_at timestamp, version int)";

/// Rows as JSON that Cassandra's `INSERT … JSON` takes: timestamps with milliseconds, the document as a string.
fn rows_as_json() -> String {
    let moment = |column: &str| {
        let utc = format!("date_trunc('milliseconds', {column}) AT TIME ZONE 'UTC'");
        format!("'{column}', to_char({utc}, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
    };
    let moments = ["dob", "registered", "created_at", "updated_at"].map(moment).join(", ");
    format!(
        "SELECT (to_jsonb(u) || jsonb_build_object('raw', raw::text, {moments}))::text FROM public.users u"
    )
}

fn address(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask test` sets it"))
}

struct Lab {
    settings: String,
    name: String,
    postgres: Client,
    cassandra: Session,
    tables: Tables,
}

impl Lab {
    async fn open(test: &str) -> Self {
        let server = address("SLUICE_TEST_POSTGRES");
        let name = format!("{test}_{:08x}", fastrand::u32(..));
        let settings = format!("{server} dbname={name}");
        init::init(&settings).await.unwrap();
        let node = address("SLUICE_TEST_CASSANDRA");
        let cassandra = cassandra::connect(&node).await.unwrap();
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
        let keyspace = format!("CREATE KEYSPACE {name} WITH replication = {replication}");
        cassandra.query_unpaged(keyspace, ()).await.unwrap();
        let tables = Tables::new("public", "users", &name, "users");
        Self { postgres: postgres::connect(&settings).await.unwrap(), settings, name, cassandra, tables }
    }

    async fn feeder(&self, seed: u64) -> Feeder {
        Feeder::new(postgres::connect(&self.settings).await.unwrap(), seed).await.unwrap()
    }

    async fn compare(&self) -> Comparison {
        compare(&self.postgres, &self.cassandra, &self.tables).await.unwrap()
    }

    async fn cql(&self, statement: &str) {
        self.cassandra.query_unpaged(statement, ()).await.unwrap();
    }

    async fn sql(&self, statement: &str) {
        self.postgres.batch_execute(statement).await.unwrap();
    }

    /// Makes the Cassandra table and copies every row by a path that shares no code with the comparison.
    async fn copy(&self) {
        self.cql(&format!("CREATE TABLE {}.users {CREATE_TABLE}", self.name)).await;
        let insert = format!("INSERT INTO {}.users JSON ?", self.name);
        let insert = self.cassandra.prepare(insert).await.unwrap();
        for row in self.postgres.query(&rows_as_json(), &[]).await.unwrap() {
            self.cassandra.execute_unpaged(&insert, (row.get::<_, String>(0),)).await.unwrap();
        }
    }

    async fn count(&self) -> i64 {
        self.postgres.query_one("SELECT count(*) FROM public.users", &[]).await.unwrap().get(0)
    }

    async fn close(self) {
        self.cql(&format!("DROP KEYSPACE {}", self.name)).await;
        let maintenance = format!("{} dbname=postgres", self.settings);
        let maintenance = postgres::connect(&maintenance).await.unwrap();
        maintenance.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
    }
}

#[tokio::test]
async fn the_feeder_knows_how_many_rows_there_are() {
    let lab = Lab::open("feeder_counts").await;
    let mut feeder = lab.feeder(1).await;

    feeder.insert_many(300, 100).await.unwrap();
    feeder.every_operation().await.unwrap();
    feeder.feed(&Mix::default(), 500).await.unwrap();

    assert_eq!(i64::try_from(feeder.rows()).unwrap(), lab.count().await);
    let changes = feeder.fed().committed;
    assert_eq!(i64::try_from(changes.inserts - changes.deletes).unwrap(), lab.count().await);
    assert!(Operation::ALL.iter().all(|operation| feeder.fed().operations.contains_key(operation)));
    assert_eq!(lab.feeder(2).await.rows(), feeder.rows());
    lab.close().await;
}

#[tokio::test]
async fn a_seed_repeats_itself() {
    let (left, right) = (Lab::open("seed_left").await, Lab::open("seed_right").await);
    let contents = "SELECT md5(string_agg(md5((to_jsonb(u) - 'created_at' - 'updated_at')::text), '' ORDER BY id)) \
                    FROM public.users u";

    let mut digests = Vec::new();
    for lab in [&left, &right] {
        let mut feeder = lab.feeder(7).await;
        feeder.insert_many(50, 10).await.unwrap();
        feeder.every_operation().await.unwrap();
        feeder.feed(&Mix::default(), 200).await.unwrap();
        digests.push(lab.postgres.query_one(contents, &[]).await.unwrap().get::<_, String>(0));
    }

    assert_eq!(digests[0], digests[1]);
    left.close().await;
    right.close().await;
}

#[tokio::test]
async fn an_absent_table_lacks_every_column_and_row() {
    let lab = Lab::open("compare_absent").await;
    lab.feeder(1).await.insert_many(10, 10).await.unwrap();

    let comparison = lab.compare().await;

    assert_eq!((comparison.postgres_rows, comparison.missing, comparison.columns_differing), (10, 10, 29));
    assert_eq!(comparison.differences[0], Difference::TableMissing);
    lab.close().await;
}

#[tokio::test]
async fn a_copy_is_equal_and_every_kind_of_damage_is_found() {
    let lab = Lab::open("compare_damage").await;
    let mut feeder = lab.feeder(3).await;
    feeder.insert_many(400, 200).await.unwrap();
    feeder.every_operation().await.unwrap();
    lab.copy().await;

    let comparison = lab.compare().await;
    assert!(comparison.is_equal(), "{comparison}");
    assert_eq!(i64::try_from(comparison.postgres_rows).unwrap(), lab.count().await);
    assert_eq!(comparison.cells, comparison.postgres_rows * 29);

    let key = feeder.last_key().unwrap();
    let users = format!("{}.users", lab.name);
    let damages = [
        ("city = ''", "city"),
        ("latitude = 91.0001", "latitude"),
        ("dob = 1", "dob"),
        ("raw = '{}'", "raw"),
        ("email = NULL", "email"),
        ("version = 99", "version"),
    ];
    for (assignment, _) in damages {
        lab.cql(&format!("UPDATE {users} SET {assignment} WHERE id = {key}")).await;
    }
    let comparison = lab.compare().await;
    let mut found: Vec<_> = comparison.differences.iter().filter_map(damaged_column).collect();
    found.sort_unstable();
    assert_eq!(found, ["city", "dob", "email", "latitude", "raw", "version"], "{comparison}");

    lab.cql(&format!("DELETE FROM {users} WHERE id = {key}")).await;
    lab.cql(&format!("INSERT INTO {users} (id) VALUES (00000000-0000-0000-0000-000000000000)")).await;
    let comparison = lab.compare().await;
    let extra = Difference::RowExtra("00000000-0000-0000-0000-000000000000".to_owned());
    assert_eq!(comparison.differences, [Difference::RowMissing(key.to_string()), extra]);

    lab.sql("ALTER TABLE public.users ADD shoe_size integer").await;
    lab.cql(&format!("ALTER TABLE {users} ADD hat_size int")).await;
    assert_eq!(lab.compare().await.columns_differing, 2);
    lab.close().await;
}

fn damaged_column(difference: &Difference) -> Option<&str> {
    match difference {
        Difference::Cell { column, .. } => Some(column),
        _ => None,
    }
}

#[tokio::test]
async fn the_common_scalar_types_are_equal_by_value() {
    let lab = Lab::open("compare_types").await;
    lab.sql(
        "CREATE TABLE kinds (a integer, b text, flag boolean, small smallint, big bigint, r real, d double precision, \
           n numeric, ts timestamp, tz timestamptz, day date, t time, bytes bytea, doc json, PRIMARY KEY (a, b)); \
         INSERT INTO kinds VALUES (1, 'é', true, -7, 9223372036854775807, 0.1, 'NaN', -1234567890123456789012.50, \
           '1969-12-31 23:59:59.9995', '2024-02-29 12:00:00.123456+02', '1066-10-14', '23:59:59.999999', \
           '\\x00ff', '{\"a\": 1}'), \
         (2, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    .await;
    lab.cql(&format!(
        "CREATE TABLE {}.kinds (a int, b text, flag boolean, small smallint, big bigint, r float, d double, n decimal, \
           ts timestamp, tz timestamp, day date, t time, bytes blob, doc text, PRIMARY KEY (a, b))",
        lab.name
    ))
    .await;
    lab.cql(&format!(
        "INSERT INTO {}.kinds (a, b, flag, small, big, r, d, n, ts, tz, day, t, bytes, doc) VALUES (1, 'é', true, -7, \
           9223372036854775807, 0.1, NaN, -1234567890123456789012.5, -1, '2024-02-29 10:00:00.123+0000', \
           '1066-10-14', '23:59:59.999999', 0x00ff, '{{\"a\":1}}')",
        lab.name
    ))
    .await;
    lab.cql(&format!("INSERT INTO {}.kinds (a, b) VALUES (2, '')", lab.name)).await;

    let tables = Tables::new("public", "kinds", &lab.name, "kinds");
    let comparison =
        wait_until_equal(&lab.postgres, &lab.cassandra, &tables, Duration::from_secs(1)).await.unwrap();

    assert!(comparison.is_equal(), "{comparison}");
    lab.close().await;
}

#[tokio::test]
async fn a_key_of_an_erased_person_is_found_wherever_it_is_left() {
    let lab = Lab::open("erased").await;
    let (key, kafka) = (Uuid::from_u128(7), address("SLUICE_TEST_KAFKA"));
    lab.feeder(7).await.insert_many(1, 1).await.unwrap();
    lab.sql(&format!(
        "UPDATE public.users SET id = '{key}';
         INSERT INTO public.users_rejected VALUES ('batch', 1, 0, '{key}', '/email', 'not there', '{{}}');
         INSERT INTO public.erasure_requests (user_id) VALUES ('{key}');
         INSERT INTO public.reconciliations (run, started_at, finished_at, verdict, differing_keys)
             VALUES ('run', now(), now(), 'different', ARRAY['{key}']::uuid[])"
    ))
    .await;
    lab.copy().await;
    lab.cql(&format!("CREATE TABLE {}.user_sessions (user_id uuid PRIMARY KEY)", lab.name)).await;
    lab.cql(&format!("INSERT INTO {}.user_sessions (user_id) VALUES ({key})", lab.name)).await;
    let places = Places {
        postgres: &lab.postgres,
        cassandra: &lab.cassandra,
        kafka: &kafka,
        topic: &lab.name,
        tables: lab.tables.clone(),
        statistics: &lab.name,
    };

    let verdict =
        verify(&places, Expected { erased: vec![key], slot: None }, Duration::ZERO).await.to_string();

    for table in ["users", "users_rejected", "erasure_requests", "reconciliations"] {
        assert!(verdict.contains(&format!("{key} in table {table} of Postgres")), "{verdict}");
    }
    for table in ["users", "user_sessions"] {
        assert!(verdict.contains(&format!("{key} in {}.{table}", lab.name)), "{verdict}");
    }
    assert!(verdict.contains(&format!("{key} was never in Kafka")), "{verdict}");
    lab.close().await;
}

#[tokio::test]
async fn records_are_counted_over_all_partitions() {
    let brokers = address("SLUICE_TEST_KAFKA");
    let name = format!("users-count-{:08x}", fastrand::u32(..));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &brokers);
    let topic = Topic::new(&brokers, &name).unwrap();
    assert_eq!(topic.records().await.unwrap(), Records::default());

    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let new = NewTopic::new(&name, 2, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
    admin.create_topics([&new], &options).await.unwrap()[0].as_ref().unwrap();
    let producer: BaseProducer = config.create().unwrap();
    for partition in [0, 1, 1] {
        producer.send(BaseRecord::to(&name).partition(partition).key("k").payload("v")).unwrap();
    }
    producer.flush(Duration::from_secs(10)).unwrap();

    assert_eq!(topic.records().await.unwrap(), Records { partitions: 2, count: 3 });
    admin.delete_topics(&[&name], &options).await.unwrap();
}
