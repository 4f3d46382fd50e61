"""That a run which is cut off anywhere, repeated, or replaced ends at the same numbers."""

import shutil
import threading

import pytest
from cassandra import InvalidRequest
from cassandra.cluster import Session
from events import Event, Table, UsersTopic
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from tables import changes, everything, expected_population, population, sessions

from users_stats.main import run
from users_stats.processor import Processor, TruncateError
from users_stats.registry import RegistryUnavailableError
from users_stats.store import Store, StoreError


@pytest.fixture
def table(topic: UsersTopic) -> Table:
    """Fill the topic with the history of a table: people who came, edited, moved between groups and went."""
    table = Table()
    topic.send(*(table.insert("Norway", "1990-01-01") for _ in range(12)))
    ids = list(table.rows)
    topic.send(*(table.update(user_id, country="Spain") for user_id in ids[:6]))
    topic.send(*(table.update(user_id, country="Norway") for user_id in ids[3:6]))
    topic.send(*(table.delete(user_id) for user_id in ids[5:8]))
    return table


def swap_groups(table: Table) -> list[Event]:
    """Move as many from Norway to Spain as from Spain to Norway: the sums of this batch are zero."""
    norwegians = [user_id for user_id, row in table.rows.items() if row["country"] == "Norway"][:2]
    spaniards = [user_id for user_id, row in table.rows.items() if row["country"] == "Spain"][:2]
    return [
        *(table.update(user_id, country="Spain") for user_id in norwegians),
        *(table.update(user_id, country="Norway") for user_id in spaniards),
    ]


class CutOffError(Exception):
    """Stands for the end of the process."""


def cut_off_after_population(monkeypatch: pytest.MonkeyPatch) -> None:
    def add_changes(*_):
        raise CutOffError

    monkeypatch.setattr(Store, "add_changes", add_changes)


def cut_off_amid_states(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Processor._write_states

    def write_some(self, batch, people):
        write(self, batch, people.where("substr(person, 1, 1) < '8'"))
        raise CutOffError

    monkeypatch.setattr(Processor, "_write_states", write_some)


def cut_off_before_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(*_):
        raise CutOffError

    monkeypatch.setattr(Store, "finish", finish)


@pytest.mark.parametrize(
    ("cut_off", "is_checkpoint_lost"),
    [(cut_off_after_population, True), (cut_off_amid_states, True), (cut_off_before_the_journal, False)],
)
def test_batch_that_is_cut_off_is_counted_once(
    cut_off,
    is_checkpoint_lost: bool,
    table: Table,
    topic: UsersTopic,
    run_job,
    configure,
    keyspace,
    cassandra,
    monkeypatch,
):
    run_job()
    topic.send(*swap_groups(table), table.insert("Iran", "1950-01-01"), table.delete(next(iter(table.rows))))
    with monkeypatch.context() as patch:
        cut_off(patch)
        with pytest.raises(PySparkException, match="CutOffError"):
            run_job()
    if is_checkpoint_lost:
        shutil.rmtree(configure().checkpoint)

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)
    kinds = zip(*changes(cassandra, keyspace).values(), strict=True)
    assert [sum(kind) for kind in kinds] == [13, 13, 4]


def test_restart_from_the_checkpoint_goes_on(
    table: Table, topic: UsersTopic, run_job, keyspace: str, cassandra: Session
):
    run_job()
    topic.send(table.insert("Iran", "1990-01-01"), *swap_groups(table))

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)


@pytest.mark.usefixtures("table")
def test_replay_with_a_new_checkpoint_changes_nothing(run_job, configure, keyspace: str, cassandra: Session):
    run_job()
    before = everything(cassandra, keyspace)
    shutil.rmtree(configure().checkpoint)

    run_job("--max-offsets-per-trigger", "20")

    assert everything(cassandra, keyspace) == before


@pytest.mark.usefixtures("table")
def test_backfill_equals_the_stream(run_job, keyspace: str, cassandra: Session):
    run_job("--max-offsets-per-trigger", "15")
    streamed = everything(cassandra, keyspace)

    run_job("--mode", "backfill", "--reset")

    assert everything(cassandra, keyspace) == streamed


def test_stream_goes_on_after_a_backfill(table: Table, topic: UsersTopic, run_job, keyspace: str, cassandra: Session):
    run_job("--mode", "backfill")
    topic.send(*swap_groups(table))

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)


@pytest.mark.usefixtures("table")
def test_rows_are_written_at_the_time_of_their_batch(run_job, keyspace: str, cassandra: Session):
    run_job()

    number = cassandra.execute(f"SELECT number FROM {keyspace}.batches").one().number
    for column, name in (
        *(("people", "population"), ("updates", "changes_by_country")),
        *(("edits", "user_sessions"), ("commit_lsn", "person_states")),
    ):
        times = {row[0] for row in cassandra.execute(f"SELECT WRITETIME({column}) FROM {keyspace}.{name}")}
        assert times == {number}, name


def test_write_of_a_run_that_lost_its_place_does_not_bring_sessions_back(
    table: Table, topic: UsersTopic, run_job, keyspace: str, cassandra: Session
):
    run_job()
    late = cassandra.execute(f"SELECT number FROM {keyspace}.batches").one().number
    user_id = next(iter(sessions(cassandra, keyspace)))
    topic.send(table.delete(user_id))
    run_job()

    cassandra.execute(
        f"INSERT INTO {keyspace}.user_sessions (user_id, session_start, session_end, edits)"
        f" VALUES ({user_id}, 0, 0, 1) USING TIMESTAMP {late}"
    )

    assert user_id not in sessions(cassandra, keyspace)


@pytest.mark.usefixtures("spark")
def test_newer_run_stops_an_older_one(configure):
    older, newer = Store(configure()), Store(configure())
    older.take_over()
    newer.take_over()

    with pytest.raises(StoreError, match="only one may write"):
        older.begin({0: (0, 1)})
    assert newer.unfinished() is None
    older.close()
    newer.close()


@pytest.mark.usefixtures("topic")
def test_other_reference_date_is_refused_until_a_reset(configure, keyspace: str):
    first = Store(configure())
    first.take_over()
    other = Store(configure("--age-at", "2030-01-01"))

    with pytest.raises(StoreError, match=f"{keyspace} was built with --age-at 2026-01-01 .* --reset"):
        other.take_over()

    again = Store(configure("--age-at", "2030-01-01", "--reset"))
    again.take_over()
    for store in (first, other, again):
        store.close()


@pytest.mark.usefixtures("spark")
def test_reset_that_is_cut_off_must_be_repeated(configure, cassandra: Session, keyspace: str):
    store, resetting = Store(configure()), Store(configure("--reset"))
    store.take_over()
    cassandra.execute(f"DROP TABLE {keyspace}.person_states")

    with pytest.raises(InvalidRequest, match="person_states"):
        resetting.take_over()

    with pytest.raises(StoreError, match=f"reset of keyspace {keyspace} was cut off"):
        store.take_over()
    again = Store(configure("--reset"))
    again.take_over()
    for part in (store, resetting, again):
        part.close()


@pytest.mark.usefixtures("spark")
def test_keyspace_of_another_topic_is_refused(configure, topic: UsersTopic):
    first, other = Store(configure()), Store(configure("--topic", "others.public.users"))
    first.take_over()

    with pytest.raises(StoreError, match=f"holds the statistics of topic {topic.name}; name another --keyspace"):
        other.take_over()

    for store in (first, other):
        store.close()


def test_checkpoint_that_is_ahead_of_the_tables_is_refused(
    table: Table, topic: UsersTopic, run_job, keyspace: str, cassandra: Session
):
    run_job()
    topic.send(table.insert("Iran", "1990-01-01"))

    with pytest.raises(PySparkException, match="name a new --checkpoint, or fill them first with --mode backfill"):
        run_job("--reset")

    assert population(cassandra, keyspace) == {}
    run_job("--mode", "backfill")
    run_job()
    assert population(cassandra, keyspace) == expected_population(table)


def test_registry_that_does_not_answer_loses_nothing(
    table: Table, spark: SparkSession, run_job, configure, keyspace: str, cassandra: Session
):
    unreachable = configure("--mode", "backfill", "--schema-registry", "http://127.0.0.1:1")
    with pytest.raises(RegistryUnavailableError, match="does not answer"):
        run(spark, unreachable, threading.Event())

    run_job()

    assert population(cassandra, keyspace) == expected_population(table)


def test_truncate_stops_the_run_and_tells_the_way_on(topic: UsersTopic, run_job):
    table = Table()
    truncate = table.insert("Norway", "1990-01-01")
    topic.send(truncate)
    truncate.op, truncate.after = "t", None
    topic.send_raw(None, topic.encode(truncate), {"sluice.position": "0/20000/0/1"})
    topic.flush()

    with pytest.raises(TruncateError, match="--starting-offsets"):
        run_job("--mode", "backfill")
