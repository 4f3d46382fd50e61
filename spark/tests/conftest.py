import os
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cassandra.cluster import Cluster, Session
from confluent_kafka import Consumer, TopicPartition
from events import UsersTopic
from pyspark.sql import SparkSession

from users_stats.main import run, start_session
from users_stats.settings import Settings, parse


def environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"{name} is not set: these tests run against real servers, see README.md", pytrace=False)
    return value


@pytest.fixture(scope="session")
def kafka() -> str:
    return environment("SLUICE_TEST_KAFKA")


@pytest.fixture(scope="session")
def registry() -> str:
    return environment("SLUICE_TEST_REGISTRY").rstrip("/")


@pytest.fixture(scope="session")
def cassandra() -> Iterator[Session]:
    host, port = environment("SLUICE_TEST_CASSANDRA").rsplit(":", 1)
    cluster = Cluster([host], port=int(port), protocol_version=5)
    yield cluster.connect()
    cluster.shutdown()


@pytest.fixture
def topic(kafka: str, registry: str) -> UsersTopic:
    return UsersTopic(kafka, registry)


@pytest.fixture
def keyspace(cassandra: Session) -> Iterator[str]:
    name = f"spark_test_{uuid.uuid4().hex[:16]}"
    yield name
    cassandra.execute(f"DROP KEYSPACE IF EXISTS {name}", timeout=60)


@pytest.fixture
def configure(kafka: str, registry: str, topic: UsersTopic, keyspace: str, tmp_path: Path) -> Callable[..., Settings]:
    """Make settings of a run over the test's topic and keyspace, with more arguments at the end."""

    def make(*arguments: str) -> Settings:
        return parse(
            [
                *("--bootstrap-servers", kafka, "--schema-registry", registry, "--topic", topic.name),
                *("--cassandra", environment("SLUICE_TEST_CASSANDRA"), "--keyspace", keyspace),
                *("--dead-letter-topic", f"{topic.name}-dlq", "--checkpoint", str(tmp_path / "checkpoint")),
                *("--trigger", "available-now", "--master", "local[2]", "--shuffle-partitions", "2"),
                *("--jars-dir", environment("SPARK_JARS_DIR"), *arguments),
            ]
        )

    return make


@pytest.fixture(scope="session")
def spark(kafka: str, registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Start the session of all tests. Which Cassandra it speaks to is fixed with it; topics and keyspaces are not."""
    settings = parse(
        [
            *("--bootstrap-servers", kafka, "--schema-registry", registry, "--topic", "any", "--mode", "backfill"),
            *("--cassandra", environment("SLUICE_TEST_CASSANDRA"), "--master", "local[2]"),
            *("--jars-dir", environment("SPARK_JARS_DIR"), "--shuffle-partitions", "2"),
        ]
    )
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    # These runs are too short for the second compiler to pay.
    os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1"
    session = start_session(settings, str(tmp_path_factory.mktemp("package")))
    yield session
    session.stop()


@pytest.fixture
def run_job(spark: SparkSession, configure: Callable[..., Settings]) -> Callable[..., None]:
    """Run the job over all that the topic has now."""

    def run_to_the_end(*arguments: str) -> None:
        run(spark, configure(*arguments), threading.Event())

    return run_to_the_end


@pytest.fixture
def messages_of(kafka: str) -> Callable[[str], list]:
    """Read all messages of a topic with one partition."""

    def read(name: str) -> list:
        consumer = Consumer({"bootstrap.servers": kafka, "group.id": name, "enable.auto.commit": False})
        try:
            _, end = consumer.get_watermark_offsets(TopicPartition(name, 0), timeout=30)
            consumer.assign([TopicPartition(name, 0, 0)])
            messages = consumer.consume(end, timeout=30)
            assert len(messages) == end, f"{name} does not give all of its messages"
            return messages
        finally:
            consumer.close()

    return read
