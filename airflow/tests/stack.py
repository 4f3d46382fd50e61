"""The servers that the tests run against, and the names that keep one test run apart from others."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from confluent_kafka.admin import AdminClient

from users_pipeline import ingest
from users_pipeline.mirror import Mirror
from users_pipeline.randomuser import fetch_page

REPOSITORY = Path(__file__).parents[2]

NAME = f"airflow_{os.getpid()}_{int(time.time())}"
"""The database, topic prefix, keyspace, slot and consumer group of this run."""

METADATA = f"{NAME}_metadata"
"""The database of Airflow's own tables, on the same server as in production."""

WAIT_SECONDS = 60


def server(variable: str) -> str:
    """Return the address of a server from the environment, and say what is missing if it is not there."""
    address = os.environ.get(variable)
    if not address:
        raise RuntimeError(f"set {variable}: airflow/README.md lists what the tests need")
    return address


def postgres(database: str = NAME, **parameters: str) -> psycopg.Connection:
    """Connect as the superuser."""
    settings = psycopg.conninfo.conninfo_to_dict(server("SLUICE_TEST_POSTGRES")) | {"dbname": database} | parameters
    return psycopg.connect(**settings, autocommit=True)


def postgres_address() -> tuple[str, str]:
    """Return host and port."""
    settings = psycopg.conninfo.conninfo_to_dict(server("SLUICE_TEST_POSTGRES"))
    return settings["host"], str(settings.get("port", 5432))


def create_databases() -> None:
    """Create this run's databases: the users' with the files of `postgres-init/`, and an empty one for Airflow."""
    with postgres("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{NAME}"')
        with postgres() as users:
            for file in sorted((REPOSITORY / "postgres-init").glob("*.sql")):
                users.execute(file.read_text())
        connection.execute(f'CREATE DATABASE "{METADATA}" OWNER airflow')


def drop_databases() -> None:
    """Drop this run's databases and slots."""
    with postgres("postgres") as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s AND NOT active",
            [NAME],
        )
        for database in (NAME, METADATA):
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def load_people(users: psycopg.Connection) -> None:
    """Load sixty people, always the same, without a run of a DAG."""
    documents = fetch_page(server("SLUICE_TEST_RANDOMUSER"), seed="tests", page=1, results=60, timeout_seconds=10)
    ingest.store_page(users, batch="tests", page=1, documents=documents)


def wait_until(what: str, condition: Callable[[], bool]) -> None:
    """Wait for a condition, and fail with its name if it does not come true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {WAIT_SECONDS} s until {what}")
        time.sleep(0.1)


class Faults:
    """The fault switches of the stand-in for randomuser.me."""

    def __init__(self) -> None:
        """The address is that of the stand-in."""
        self.url = f"{server('SLUICE_TEST_RANDOMUSER')}/_faults"

    def set(self, *faults: str) -> None:
        """Replace the faults of the next answers, as `429:1`."""
        httpx.put(self.url, json=list(faults)).raise_for_status()

    def remaining(self) -> list[str]:
        """Return the faults that are still to come."""
        return httpx.get(self.url).json()


class ChangeStream:
    """What logical decoding says of the users table since the last look."""

    SLOT = f"{NAME}_look"

    def __init__(self, database: psycopg.Connection) -> None:
        """Open a slot of the plug-in `test_decoding`."""
        self.database = database
        database.execute("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", [self.SLOT])

    def changes(self) -> list[str]:
        """Take the changes of the users table: a text for each, in the order of the WAL."""
        return [change for transaction in self.transactions() for change in transaction]

    def transactions(self) -> list[list[str]]:
        """Take the changes of the users table by transaction; those that changed nothing of it are left out."""
        lines = self.database.execute("SELECT data FROM pg_logical_slot_get_changes(%s, NULL, NULL)", [self.SLOT])
        transactions: list[list[str]] = []
        for (line,) in lines:
            if line.startswith("BEGIN"):
                transactions.append([])
            elif line.startswith("table public.users:"):
                transactions[-1].append(line)
        return [transaction for transaction in transactions if transaction]


def drop_mirror() -> None:
    """Drop this run's keyspace and topic."""
    host, port = server("SLUICE_TEST_CASSANDRA").split(":")
    with Mirror.connect(host, int(port), NAME) as mirror:
        mirror.session.execute(f'DROP KEYSPACE IF EXISTS "{NAME}"')
    admin = AdminClient({"bootstrap.servers": server("SLUICE_TEST_KAFKA")})
    admin.delete_topics([f"{NAME}.public.users"])[f"{NAME}.public.users"].result(WAIT_SECONDS)


@contextmanager
def running_sluice(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run both connectors of `config/` under this run's names."""
    host, port = postgres_address()
    cassandra_host, cassandra_port = server("SLUICE_TEST_CASSANDRA").split(":")
    environment = os.environ | {
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": port,
        "POSTGRES_REPLICATION_PASSWORD": "sluice",
        "KAFKA_BOOTSTRAP_SERVERS": server("SLUICE_TEST_KAFKA"),
        "SCHEMA_REGISTRY_URL": server("SLUICE_TEST_REGISTRY"),
        "CASSANDRA_HOST": cassandra_host,
        "CASSANDRA_PORT": cassandra_port,
    }
    binary = os.environ.get("SLUICE_BINARY", str(REPOSITORY / "target/debug/sluice"))
    command = [
        binary,
        "run",
        f"--worker={REPOSITORY / 'config/worker.properties'}",
        f"--set=offset.storage.file.filename={directory / 'offsets'}",
        "--set=listeners=http://127.0.0.1:0",
        *_connector_files(directory),
    ]
    with (directory / "sluice.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 (our own binary)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def _connector_files(directory: Path) -> list[Path]:
    renamed = {
        "name": NAME,
        "database.dbname": NAME,
        "slot.name": NAME,
        "topic.prefix": NAME,
        "topics": f"{NAME}.public.users",
        "keyspace": NAME,
        "errors.deadletterqueue.topic.name": f"{NAME}-dlq",
        "transforms.route.regex": f"{NAME}\\\\.public\\\\.(.*)",
    }
    files = []
    for name in ("users-source.properties", "users-sink.properties"):
        text = (REPOSITORY / "config" / name).read_text()
        for key, value in renamed.items():
            text = re.sub(rf"^{re.escape(key)}=.*$", lambda _, line=f"{key}={value}": line, text, flags=re.MULTILINE)
        file = directory / name
        file.write_text(text)
        files.append(file)
    source, sink = files
    source.write_text(source.read_text().replace(f"name={NAME}\n", f"name={NAME}-source\n", 1))
    return [source, sink]
