"""The command line of the job, parsed once into `Settings`."""

import argparse
import re
from dataclasses import dataclass
from datetime import date

AVAILABLE_NOW = "available-now"
EARLIEST = "earliest"


@dataclass(frozen=True)
class Settings:
    """What one run of the job is told. Durations are in the unit of their name."""

    bootstrap_servers: str
    schema_registry: str
    topic: str
    cassandra_host: str
    cassandra_port: int
    keyspace: str
    dead_letter_topic: str
    mode: str
    checkpoint: str | None
    trigger: str
    starting_offsets: str
    max_offsets_per_trigger: int
    age_at: date
    session_gap_seconds: int
    reset: bool
    kafka_properties: dict[str, str]
    master: str | None
    jars_dir: str | None
    shuffle_partitions: int

    @property
    def kafka_options(self) -> dict[str, str]:
        """Options that every reader and writer of Kafka takes."""
        return {
            "kafka.bootstrap.servers": self.bootstrap_servers,
            **{f"kafka.{name}": value for name, value in self.kafka_properties.items()},
        }


def parse(arguments: list[str]) -> Settings:
    """Parse the command line; exits with status 2 and a message when it is wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.mode == "stream" and not options.checkpoint:
        parser.error("--checkpoint is needed to stream: a directory that survives restarts")
    host, port = options.cassandra
    fields = {name: value for name, value in vars(options).items() if name not in ("cassandra", "kafka_property")}
    return Settings(
        cassandra_host=host,
        cassandra_port=port,
        kafka_properties=dict(options.kafka_property),
        **fields,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="users_stats_job.py",
        description="Keep statistics over the change events of the users table in Cassandra.",
        epilog="A user of Cassandra is taken from CASSANDRA_USERNAME and CASSANDRA_PASSWORD, if they are set.",
    )
    add = parser.add_argument
    add("--bootstrap-servers", required=True, metavar="HOST:PORT", help="Kafka brokers, separated by commas")
    add(
        "--schema-registry", required=True, metavar="URL", help="registry of the writer schemas; user:password@ is used"
    )
    add("--topic", required=True, help="topic of change events, such as users.public.users")
    add("--cassandra", required=True, type=_address, metavar="HOST:PORT", help="a Cassandra node")
    add(
        "--keyspace",
        default="spark_streams",
        type=_keyspace,
        help="keyspace of the tables; made if missing (%(default)s)",
    )
    add("--dead-letter-topic", default="users-stats-dlq", help="topic of messages that cannot be read (%(default)s)")
    add(
        "--mode",
        choices=("stream", "backfill"),
        default="stream",
        help="follow the topic, or process it once from earliest to its present end (%(default)s)",
    )
    add("--checkpoint", metavar="DIR", help="directory of the query's offsets; needed to stream")
    add(
        "--trigger",
        default="5 seconds",
        type=_trigger,
        help=f"interval between batches, or {AVAILABLE_NOW}: stop at the present end of the topic (%(default)s)",
    )
    add(
        "--starting-offsets",
        default=EARLIEST,
        metavar="earliest|latest|JSON",
        help="where a new checkpoint and a backfill start (%(default)s)",
    )
    add(
        "--max-offsets-per-trigger",
        default=20_000,
        type=_positive,
        metavar="N",
        help="most messages of one batch of the stream (%(default)s)",
    )
    add(
        "--age-at",
        default=date(2026, 1, 1),
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day on which age bands are reckoned (%(default)s)",
    )
    add(
        "--session-gap-seconds",
        default=300,
        type=_positive,
        metavar="S",
        help="a pause this long between two edits of a user starts a new session (%(default)s)",
    )
    add("--reset", action="store_true", help="empty the tables first, to build them anew")
    add(
        "--kafka-property",
        action="append",
        default=[],
        type=_property,
        metavar="NAME=VALUE",
        help="a property of the Kafka clients, such as security.protocol=SASL_SSL; may be repeated",
    )
    add("--master", metavar="URL", help="Spark master, when started by python and not by spark-submit")
    add("--jars-dir", metavar="DIR", help="folder of the jars, when started by python and not by spark-submit")
    add(
        "--shuffle-partitions",
        default=4,
        type=_positive,
        metavar="N",
        help="tasks per shuffle: about twice the cores of the executors (%(default)s)",
    )
    return parser


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdigit()):
        raise argparse.ArgumentTypeError(f"`{text}` is not HOST:PORT")
    return host, int(port)


def _keyspace(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,47}", text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a keyspace: lower-case letters, digits and _, up to 48")
    return text


def _trigger(text: str) -> str:
    if text != AVAILABLE_NOW and not re.fullmatch(r"\d+ (milliseconds?|seconds?|minutes?)", text):
        raise argparse.ArgumentTypeError(f"`{text}` is neither an interval such as `5 seconds` nor {AVAILABLE_NOW}")
    return text


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not a positive whole number")
    return int(text)


def _property(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"`{name}` is not of the form NAME=VALUE")
    return name, value
