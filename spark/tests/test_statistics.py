"""What the tables hold after a run, against what the source's table holds."""

from cassandra.cluster import Session
from events import Table, UsersTopic, frame
from pyspark.sql import SparkSession
from tables import changes, everything, expected_population, population, sessions

from users_stats.processor import Processor
from users_stats.registry import SchemaRegistry
from users_stats.store import Store

MINUTE_MS = 60_000


def test_totals_are_exact_over_two_schema_versions_and_several_batches(
    topic: UsersTopic, run_job, keyspace: str, cassandra: Session
):
    table = Table()
    people = [table.insert(("Norway", "Spain", "Iran")[i % 3], f"{1950 + i}-03-01") for i in range(60)]
    topic.send(*people)
    table.is_evolved = True
    ids = list(table.rows)
    topic.send(*(table.update(user_id, country="Chile") for user_id in ids[:10]))
    topic.send(*(table.update(user_id, dob="2015-01-01T00:00:00Z") for user_id in ids[10:15]))
    topic.send(*(table.delete(user_id) for user_id in ids[15:35]))

    run_job("--max-offsets-per-trigger", "60")

    assert population(cassandra, keyspace) == expected_population(table)
    tumbling = changes(cassandra, keyspace)
    assert [sum(kind) for kind in zip(*tumbling.values(), strict=True)] == [60, 15, 20]
    assert tumbling["Chile"] == (0, 10, 0)
    assert changes(cassandra, keyspace, 300) == {
        country: tuple(5 * number for number in counts) for country, counts in tumbling.items()
    }


def test_repetitions_are_dropped_even_when_far_apart(topic: UsersTopic, run_job, keyspace: str, cassandra: Session):
    table = Table()
    history = [table.insert("Norway", "1990-01-01") for _ in range(10)]
    ids = list(table.rows)
    history += [table.update(user_id, country="Spain") for user_id in ids[:4]]
    history += [table.delete(user_id) for user_id in ids[2:6]]
    topic.send(*history, *history[5:])
    run_job()
    before = everything(cassandra, keyspace)
    topic.send(*history, *history[8:])

    run_job()

    assert everything(cassandra, keyspace) == before
    assert population(cassandra, keyspace) == expected_population(table)
    assert changes(cassandra, keyspace) == {"Norway": (10, 0, 2), "Spain": (0, 4, 2)}


def test_poison_goes_to_the_dead_letters_and_stops_nothing(
    topic: UsersTopic, run_job, keyspace: str, cassandra: Session, messages_of
):
    table = Table()
    good = table.insert("Norway", "1990-01-01")
    topic.send(good)
    no_date = Table().insert("Norway", "1990-01-01")
    no_date.after["dob"] = "infinity"
    no_country = Table().insert("", "1990-01-01")
    schema_id = int.from_bytes(topic.encode(good)[1:5], "big")
    poison = {
        b"not framed at all": "zero byte",
        b"\x01" + topic.encode(good)[1:]: "zero byte",
        frame(2_000_000_000, b"\x02\x02"): "schema 2000000000",
        frame(schema_id, b"\xff\xff\xff"): "does not fit",
        topic.encode(no_date): "after.dob",
        topic.encode(no_country): "after.country",
    }
    for value in poison:
        topic.send_raw("any", value, {"sluice.position": "0/5/0/1"})
    topic.send_raw("any", topic.encode(good), {"sluice.position": "5"})
    topic.send(table.insert("Spain", "1990-01-01"))

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)
    letters = messages_of(f"{topic.name}-dlq")
    assert len(letters) == len(poison) + 1
    for letter in letters:
        headers = {name: value.decode() for name, value in letter.headers()}
        assert headers["__connect.errors.topic"] == topic.name
        assert headers["__connect.errors.partition"].isdigit()
        assert headers["__connect.errors.offset"].isdigit()
        assert poison.get(letter.value(), "sluice.position") in headers["__connect.errors.exception.message"]


def test_bursts_become_sessions_and_an_erasure_takes_them_away(
    topic: UsersTopic, run_job, keyspace: str, cassandra: Session
):
    table = Table()
    topic.send(table.insert("Norway", "1990-01-01"), table.insert("Norway", "1990-01-01"))
    stays, erased = table.rows
    burst = []
    for pause_ms in (1_000, 2_000, 10 * MINUTE_MS, 5_000):
        table.now_ms += pause_ms
        burst += [table.update(stays, email="y"), table.update(erased, email="y")]
    topic.send(*burst)
    run_job()
    assert sessions(cassandra, keyspace) == {user_id: [(2, 2), (5, 2)] for user_id in (stays, erased)}
    topic.send(table.delete(erased), *burst)

    run_job()

    assert sessions(cassandra, keyspace) == {stays: [(2, 2), (5, 2)]}


def test_second_snapshot_counts_nobody_twice(topic: UsersTopic, run_job, keyspace: str, cassandra: Session):
    table = Table()
    for i in range(20):
        table.insert("Norway", f"{1950 + i}-01-01")
    topic.send(*table.snapshot())
    run_job()
    table.rows[next(iter(table.rows))]["country"] = "Spain"
    topic.send(*table.snapshot())

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)
    assert changes(cassandra, keyspace) == {}


def test_debeziums_own_topics_do_without_header_and_before_image(
    topic: UsersTopic, run_job, keyspace: str, cassandra: Session
):
    table = Table()
    created = [table.insert("Norway", "1990-01-01") for _ in range(6)]
    ids = list(table.rows)
    moved = [table.update(user_id, country="Spain") for user_id in ids[:3]]
    topic.send(*created, *moved, *created, *moved, has_position=False, has_before=False)

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)
    assert changes(cassandra, keyspace) == {"Norway": (6, 0, 0), "Spain": (0, 3, 0)}


def test_states_are_read_by_key_and_not_by_a_scan(topic: UsersTopic, run_job, spark: SparkSession, configure):
    topic.send(Table().insert("Norway", "1990-01-01"))
    run_job()
    settings = configure()
    store = Store(settings)
    change = "struct<position: struct<epoch: bigint, commit: bigint, index: bigint>, op: string, at: bigint,"
    good = spark.createDataFrame([("any", None)], f"id string, change {change} country: string, born: date>")
    processor = Processor(spark, settings, store, SchemaRegistry(settings.schema_registry))

    plan = processor._effects(good)._jdf.queryExecution().executedPlan().toString()

    store.close()
    assert "Cassandra Direct Join" in plan
