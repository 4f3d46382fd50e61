"""Airflow in one process, its DAGs, and the servers they work on.

The environment is set before Airflow is imported, because Airflow and the DAG files read it then.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

import stack
from airflow_runs import Runs

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="airflow-tests-"))
DAGS = Path(__file__).parents[1] / "dags"

_HOST, _PORT = stack.postgres_address()

os.environ |= {
    "AIRFLOW_HOME": str(AIRFLOW_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow:airflow@{_HOST}:{_PORT}/{stack.METADATA}",
    "AIRFLOW_CONN_USERS_DB": f"postgresql://users_app:users_app@{_HOST}:{_PORT}/{stack.NAME}",
    "AIRFLOW_CONN_USERS_CASSANDRA": f"generic://{stack.server('SLUICE_TEST_CASSANDRA')}/{stack.NAME}",
    "AIRFLOW_CONN_USERS_KAFKA": f"generic://{stack.server('SLUICE_TEST_KAFKA')}",
    "AIRFLOW_CONN_RANDOMUSER": stack.server("SLUICE_TEST_RANDOMUSER"),
    "USERS_INGEST_RESULTS": "60",
    "USERS_INGEST_PAGES": "2",
    "USERS_INGEST_TIMEOUT_SECONDS": "2",
    "USERS_INGEST_MAX_REJECTED_PERCENT": "10",
    "USERS_RETRY_SECONDS": "1",
    "USERS_MUTATE_PEOPLE": "4",
    "USERS_MUTATE_BIG_TRANSACTION_ROWS": "50",
    "USERS_MUTATE_RARE_ONE_IN": "1",
    "USERS_ERASE_POKE_SECONDS": "1",
    "USERS_ERASE_WAIT_SECONDS": "60",
    "USERS_RECONCILE_WAIT_SECONDS": "60",
    "USERS_SLUICE_SLOT": stack.NAME,
    "USERS_SLUICE_TOPIC": f"{stack.NAME}.public.users",
    "USERS_SLUICE_GROUP": f"connect-{stack.NAME}",
}


@pytest.fixture(scope="session")
def dags(database: psycopg.Connection) -> Iterator["DagBag"]:
    """The DAGs, with Airflow's metadata in a database of its own beside that of the users."""
    airflow = Path(sys.executable).with_name("airflow")
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True)  # noqa: S603 (of this environment)

    from airflow.dag_processing.dagbag import DagBag

    yield DagBag(DAGS)

    from airflow import settings

    settings.dispose_orm()


@pytest.fixture(scope="session")
def runs(dags: "DagBag") -> Runs:
    """What runs DAGs."""
    return Runs(dags)


@pytest.fixture(scope="session")
def database() -> Iterator[psycopg.Connection]:
    """The database of this run, with the superuser's eyes."""
    try:
        stack.create_databases()
        with stack.postgres() as connection:
            yield connection
    finally:
        stack.drop_databases()


@pytest.fixture
def users(database: psycopg.Connection) -> psycopg.Connection:
    """The database with empty tables. People are deleted, because the mirror does not follow a TRUNCATE."""
    database.execute("DELETE FROM public.users")
    database.execute(
        "TRUNCATE public.users_rejected, public.ingest_batches, public.life_events, "
        "public.erasure_requests, public.erasure_receipts, public.reconciliations"
    )
    return database


@pytest.fixture
def faults() -> Iterator[stack.Faults]:
    """Fault switches, all off before and after."""
    switches = stack.Faults()
    switches.set()
    yield switches
    switches.set()


@pytest.fixture
def stream(users: psycopg.Connection) -> Iterator[stack.ChangeStream]:
    """The change stream of the users table from now on."""
    yield stack.ChangeStream(users)
    users.execute("SELECT pg_drop_replication_slot(%s)", [stack.ChangeStream.SLOT])


@pytest.fixture
def people(users: psycopg.Connection) -> psycopg.Connection:
    """The database with sixty people, who come from the stand-in for randomuser.me."""
    stack.load_people(users)
    return users


@pytest.fixture(scope="session")
def sluice(database: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A running Sluice that carries this run's users table into this run's keyspace."""
    with stack.running_sluice(tmp_path_factory.mktemp("sluice")) as process:
        yield process
    stack.drop_mirror()
