"""`users_erase` and `users_reconcile` with a running Sluice, Kafka and Cassandra between the two databases."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
import stack
from airflow_runs import Runs, states

from users_pipeline import erasure, life_events
from users_pipeline.life_events import Options
from users_pipeline.mirror import Mirror, MirrorIncomplete

TABLE = f'"{stack.NAME}".users'

pytestmark = pytest.mark.usefixtures("sluice")


@pytest.fixture(scope="module")
def mirror(sluice: object) -> Iterator[Mirror]:
    """The mirror that Sluice fills."""
    host, port = stack.server("SLUICE_TEST_CASSANDRA").split(":")
    with Mirror.connect(host, int(port), stack.NAME) as mirror:
        yield mirror


@pytest.fixture
def mirrored(users: psycopg.Connection, mirror: Mirror, runs: Runs) -> psycopg.Connection:
    """The database with sixty people, all of whom have arrived in the mirror."""
    if has_table(mirror):
        # What tests write by hand is newer than anything that Sluice writes: it orders by the WAL, not by the clock.
        mirror.session.execute(f"TRUNCATE {TABLE}")
    runs.run("users_ingest")
    keys = [key for (key,) in users.execute("SELECT id FROM public.users")]
    stack.wait_until("everybody is in Cassandra", lambda: has_table(mirror) and look_up(mirror, keys) == set(keys))
    return users


def has_table(mirror: Mirror) -> bool:
    try:
        mirror.require(["id"])
    except MirrorIncomplete:
        return False
    return True


def look_up(mirror: Mirror, keys: list[uuid.UUID]) -> set[uuid.UUID]:
    return set(mirror.look_up(["id"], keys))


def somebody(database: psycopg.Connection) -> uuid.UUID:
    return database.execute("SELECT id FROM public.users ORDER BY id LIMIT 1").fetchone()[0]


def request(database: psycopg.Connection, key: uuid.UUID) -> int:
    statement = "INSERT INTO public.erasure_requests (user_id) VALUES (%s) RETURNING id"
    return database.execute(statement, [key]).fetchone()[0]


def receipt(database: psycopg.Connection, number: int) -> dict[str, object]:
    with database.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute("SELECT * FROM public.erasure_receipts WHERE request_id = %s", [number]).fetchone()


def test_an_erased_person_is_gone_everywhere_and_has_a_receipt(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs
) -> None:
    key = somebody(mirrored)
    mirrored.execute("INSERT INTO public.users_rejected VALUES ('old', 1, 0, %s, '/email', 'not there', '{}')", [key])
    number = request(mirrored, key)

    run = runs.run("users_erase")

    assert run.state == "success"
    assert look_up(mirror, [key]) == set()
    for table, column in (("users", "id"), ("users_rejected", "user_id"), ("erasure_requests", "user_id")):
        left = mirrored.execute(f"SELECT count(*) FROM public.{table} WHERE {column} = %s", [key]).fetchone()
        assert left == (0,), table
    proof = receipt(mirrored, number)
    assert proof["subject_sha256"] == erasure.digest(key)
    assert (proof["users_deleted"], proof["rejected_deleted"]) == (1, 1)
    assert proof["requested_at"] < proof["deleted_at"] < proof["mirror_clean_at"]
    assert proof["completed_at"] is not None
    assert str(key) not in str(proof)


def test_an_unknown_person_gets_a_receipt_that_says_so(mirrored: psycopg.Connection, runs: Runs) -> None:
    number = request(mirrored, uuid.uuid4())

    run = runs.run("users_erase")

    assert run.state == "success"
    assert receipt(mirrored, number)["users_deleted"] == 0
    assert receipt(mirrored, number)["completed_at"] is not None


def test_without_requests_nothing_runs(mirrored: psycopg.Connection, runs: Runs) -> None:
    run = runs.run("users_erase")

    assert run.state == "success"
    assert states(run) == {"delete_people": "success"} | dict.fromkeys(
        ("position", "slot_has_passed", "topic_ends", "sink_has_passed", "write_receipts"), "skipped"
    )


def test_a_run_finishes_what_a_crashed_one_began(mirrored: psycopg.Connection, mirror: Mirror, runs: Runs) -> None:
    key = somebody(mirrored)
    number = request(mirrored, key)
    # The crash: people are deleted, nobody has waited for the mirror.
    erasure.delete_people(mirrored)

    run = runs.run("users_erase")

    assert run.state == "success"
    assert look_up(mirror, [key]) == set()
    assert receipt(mirrored, number)["users_deleted"] == 1
    assert receipt(mirrored, number)["completed_at"] is not None


def test_who_is_still_in_cassandra_gets_no_completed_receipt(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs
) -> None:
    stranger = uuid.uuid4()
    mirror.session.execute(f"INSERT INTO {TABLE} (id, city) VALUES (%s, %s)", [stranger, "Nowhere"])
    number = request(mirrored, stranger)

    run = runs.run("users_erase")

    assert run.state == "failed"
    assert states(run)["write_receipts"] == "failed"
    assert receipt(mirrored, number)["completed_at"] is None


def reconciliation(database: psycopg.Connection, run_id: str) -> dict[str, object]:
    with database.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute("SELECT * FROM public.reconciliations WHERE run = %s", [run_id]).fetchone()


def test_equal_sides_reconcile_after_every_kind_of_event(mirrored: psycopg.Connection, runs: Runs) -> None:
    options = Options(people=10, big_transaction_rows=50, rare_one_in=1)
    for event in life_events.planned("a run", options):
        life_events.apply(mirrored, "a run", event, options)

    run = runs.run("users_reconcile")

    assert run.state == "success"
    result = reconciliation(mirrored, run.run_id)
    assert (result["verdict"], result["differing_buckets"], result["moving_count"]) == ("equal", 0, 0)
    assert result["postgres_rows"] == result["cassandra_rows"] == 60
    assert result["quiet_seconds"] < 60


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {TABLE} SET city = 'Elsewhere' WHERE id = %s",
        f"DELETE phone FROM {TABLE} WHERE id = %s",
        f"DELETE FROM {TABLE} WHERE id = %s",
    ],
)
def test_an_injected_difference_is_named(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs, statement: str
) -> None:
    key = somebody(mirrored)
    mirror.session.execute(statement, [key])

    run = runs.run("users_reconcile")

    assert run.state == "failed"
    assert states(run) == {"compare": "success", "judge": "failed"}
    result = reconciliation(mirrored, run.run_id)
    assert (result["verdict"], result["differing_keys"]) == ("different", [key])


def test_a_row_that_postgres_never_had_is_named(mirrored: psycopg.Connection, mirror: Mirror, runs: Runs) -> None:
    stranger = uuid.uuid4()
    mirror.session.execute(f"INSERT INTO {TABLE} (id, city) VALUES (%s, %s)", [stranger, "Nowhere"])

    run = runs.run("users_reconcile")

    assert reconciliation(mirrored, run.run_id)["differing_keys"] == [stranger]


def test_an_erasure_takes_the_key_out_of_reconciliations(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs
) -> None:
    key = somebody(mirrored)
    mirror.session.execute(f"DELETE phone FROM {TABLE} WHERE id = %s", [key])
    reconciled = runs.run("users_reconcile")
    request(mirrored, key)

    runs.run("users_erase")

    assert reconciliation(mirrored, reconciled.run_id)["differing_keys"] == []
