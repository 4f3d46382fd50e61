"""`users_erase` and `users_reconcile` with a running Sluice, Kafka and Cassandra between the two databases."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from cassandra import InvalidRequest
from cassandra.cluster import NoHostAvailable

import stack
from airflow_runs import Runs, states
from users_pipeline import erasure, life_events, reconcile
from users_pipeline.life_events import Options
from users_pipeline.mirror import Mirror, MirrorIncomplete
from users_pipeline.quiet_point import Sluice, SluiceMissing, SluiceNames

TABLE = f'"{stack.NAME}".users'

pytestmark = pytest.mark.usefixtures("sluice")


@pytest.fixture(scope="module")
def mirror(database: psycopg.Connection, sluice: object) -> Iterator[Mirror]:
    """The mirror, once Sluice has made its table and written to it."""
    host, port = stack.server("SLUICE_TEST_CASSANDRA").split(":")
    stack.load_people(database)
    with Mirror.connect(host, int(port), stack.NAME) as mirror:
        stack.wait_until("somebody is in Cassandra", lambda: has_rows(mirror))
        yield mirror


def has_rows(mirror: Mirror) -> bool:
    try:
        return mirror.session.execute(f"SELECT id FROM {TABLE} LIMIT 1").one() is not None
    except (InvalidRequest, NoHostAvailable):
        # Not yet there, or there in the schema but not yet open on the node.
        return False


@pytest.fixture
def mirrored(users: psycopg.Connection, mirror: Mirror) -> psycopg.Connection:
    """The database with sixty people, all of whom have arrived in the mirror."""
    # What tests write by hand is newer than anything that Sluice writes: it orders by the WAL, not by the clock.
    mirror.session.execute(f"TRUNCATE {TABLE}")
    stack.load_people(users)
    keys = {key for (key,) in users.execute("SELECT id FROM public.users")}
    stack.wait_until("everybody is in Cassandra", lambda: look_up(mirror, list(keys)) == keys)
    return users


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


def test_a_receipt_waits_for_a_slot_that_does_not_follow(
    mirrored: psycopg.Connection, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = somebody(mirrored)
    number = request(mirrored, key)
    with unread_slot(mirrored) as slot, monkeypatch.context() as away:
        away.setenv("USERS_SLUICE_SLOT", slot)
        away.setattr(runs.dags.dags["users_erase"].get_task("slot_has_passed"), "timeout", 1)

        run = runs.run("users_erase")

    assert states(run)["slot_has_passed"] == "failed"
    assert receipt(mirrored, number)["completed_at"] is None
    assert runs.run("users_erase").state == "success"
    assert receipt(mirrored, number)["completed_at"] is not None


def test_who_is_still_in_cassandra_gets_no_completed_receipt(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs
) -> None:
    stranger = uuid.uuid4()
    mirror.session.execute(f"INSERT INTO {TABLE} (id, city) VALUES (%s, %s)", [stranger, "Nowhere"])
    reconciled = runs.run("users_reconcile")
    number = request(mirrored, stranger)

    run = runs.run("users_erase")

    assert run.state == "failed"
    assert states(run)["write_receipts"] == "failed"
    assert receipt(mirrored, number)["completed_at"] is None
    assert reconciliation(mirrored, reconciled.run_id)["differing_keys"] == [stranger]


@contextmanager
def unread_slot(database: psycopg.Connection) -> Iterator[str]:
    """Make a slot that nobody reads, as if Sluice were away."""
    slot = f"{stack.NAME}_unread"
    database.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
    try:
        yield slot
    finally:
        database.execute("SELECT pg_drop_replication_slot(%s)", [slot])


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


def test_a_comparison_that_was_under_way_does_not_name_who_was_erased(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs
) -> None:
    key = somebody(mirrored)
    mirror.session.execute(f"DELETE phone FROM {TABLE} WHERE id = %s", [key])
    sides = reconcile.Sides.of(mirrored, mirror, sluice_of(mirrored, stack.NAME))
    result = reconcile.reconcile(sides, "under way", wait_seconds=60)
    request(mirrored, key)
    runs.run("users_erase")

    reconcile.record(mirrored, result)

    assert result.differing == [key]
    assert reconciliation(mirrored, "under way")["differing_keys"] == []


def test_values_that_are_written_in_many_ways_are_equal(mirrored: psycopg.Connection, runs: Runs) -> None:
    odd = {
        "phone": "",
        "cell": None,
        "latitude": "-0.0001",
        "longitude": "100",
        "postcode": "0001",
        "name_first": "آرمان",
        "name_last": "'t Hooft",
        "dob": "1944-08-25 17:46:39.999999+00",
        "raw": '{"b": [1.50, 1e3, null], "a": "\\u00e9 \\""}',
    }
    assignments = ", ".join(f"{column} = %({column})s" for column in odd)
    mirrored.execute(f"UPDATE public.users SET {assignments} WHERE id = %(id)s", odd | {"id": somebody(mirrored)})

    run = runs.run("users_reconcile")

    result = reconciliation(mirrored, run.run_id)
    assert (result["verdict"], result["differing_buckets"]) == ("equal", 0)


@contextmanager
def busy(key: uuid.UUID) -> Iterator[None]:
    """Change one row all the time."""
    stop = threading.Event()

    def write() -> None:
        with stack.postgres() as connection:
            while not stop.is_set():
                connection.execute("UPDATE public.users SET version = version + 1 WHERE id = %s", [key])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def test_rows_that_change_meanwhile_are_not_taken_for_different(
    mirrored: psycopg.Connection, mirror: Mirror, runs: Runs
) -> None:
    moving, broken = (key for (key,) in mirrored.execute("SELECT id FROM public.users ORDER BY id LIMIT 2"))
    mirror.session.execute(f"DELETE phone FROM {TABLE} WHERE id = %s", [broken])

    with busy(moving):
        run = runs.run("users_reconcile")

    result = reconciliation(mirrored, run.run_id)
    assert (result["verdict"], result["differing_keys"]) == ("different", [broken])


def sluice_of(database: psycopg.Connection, slot: str) -> Sluice:
    names = SluiceNames(slot=slot, topic=f"{stack.NAME}.public.users", group=f"connect-{stack.NAME}")
    return Sluice(database, stack.server("SLUICE_TEST_KAFKA"), names)


def test_a_slot_that_does_not_follow_is_late(mirrored: psycopg.Connection, mirror: Mirror) -> None:
    with unread_slot(mirrored) as slot:
        mirrored.execute("UPDATE public.users SET version = version + 1")
        sides = reconcile.Sides.of(mirrored, mirror, sluice_of(mirrored, slot))

        result = reconcile.reconcile(sides, "late run", wait_seconds=0.5)

    reconcile.record(mirrored, result)
    assert result.verdict == "late"
    assert result.slot_lag_bytes > 0
    assert "did not catch up" in reconcile.breach(mirrored, "late run", max_lag_seconds=60)


def test_a_slow_sluice_breaks_the_objective(mirrored: psycopg.Connection, runs: Runs) -> None:
    run = runs.run("users_reconcile")

    assert reconcile.breach(mirrored, run.run_id, max_lag_seconds=60) is None
    assert "USERS_RECONCILE_MAX_LAG_SECONDS allows 0" in reconcile.breach(mirrored, run.run_id, max_lag_seconds=0)


def test_a_missing_slot_is_named(mirrored: psycopg.Connection) -> None:
    with pytest.raises(SluiceMissing, match="there is no slot `nobody`"):
        sluice_of(mirrored, "nobody").unconfirmed_bytes("0/1")


def test_a_missing_table_is_named(mirror: Mirror) -> None:
    with pytest.raises(MirrorIncomplete, match=r"there is no table `nowhere\.users`"):
        Mirror(mirror.session, "nowhere").require(["id"])


def test_the_slot_follows_while_only_airflow_writes(mirrored: psycopg.Connection, runs: Runs) -> None:
    sluice = sluice_of(mirrored, stack.NAME)
    before = sluice.wal_position()

    # A run without requests leaves the users alone; Airflow's own tables on the same server fill the WAL.
    runs.run("users_erase")

    lsn = sluice.wal_position()
    assert mirrored.execute("SELECT pg_wal_lsn_diff(%s, %s)", [lsn, before]).fetchone()[0] > 10_000
    stack.wait_until("the slot has passed what Airflow wrote", lambda: sluice.unconfirmed_bytes(lsn) <= 0)


def test_a_run_that_an_asset_triggered_has_no_interval(mirrored: psycopg.Connection, runs: Runs) -> None:
    run = runs.run_without_interval("users_reconcile")

    assert run.logical_date is None
    assert reconciliation(mirrored, run.run_id)["verdict"] == "equal"
