"""How far Sluice has come: the slot in Postgres, and the consumer group of the sink in Kafka.

A *quiet point* for a WAL position is a moment from which everything up to that position is in Cassandra. It is reached
in two steps. First the slot confirms the position: Sluice acknowledges only what is durable in Kafka. Then the group
commits the offsets that the topic ended at by then: the sink commits only what is written.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

Answer = TypeVar("Answer")

_KAFKA_SECONDS = 15.0
"""Patience with one answer of the brokers."""

_LOOK_AGAIN_SECONDS = 0.2

Offsets = dict[int, int]
"""Offsets by partition: of the next record."""


class SluiceMissing(Exception):
    """The slot or the topic does not exist."""


@dataclass(frozen=True)
class SluiceNames:
    """The names under which the two connectors of Sluice are to be found."""

    slot: str
    topic: str
    group: str


@dataclass(frozen=True)
class Sluice:
    """Looks at the progress of Sluice; changes nothing."""

    database: psycopg.Connection
    bootstrap_servers: str
    names: SluiceNames

    def wal_position(self) -> str:
        """Return the end of the written WAL.

        Every commit that was seen until now lies before it, unless its session has `synchronous_commit=off`.
        """
        return self.database.execute("SELECT pg_current_wal_lsn()::text").fetchone()[0]

    def unconfirmed_bytes(self, lsn: str) -> int:
        """Return how much WAL the slot has yet to confirm up to a position; 0 or less if it has.

        Raises:
            SluiceMissing: there is no such slot.

        """
        statement = (
            "SELECT pg_wal_lsn_diff(%s, confirmed_flush_lsn)::bigint FROM pg_replication_slots WHERE slot_name = %s"
        )
        row = self.database.execute(statement, [lsn, self.names.slot]).fetchone()
        if row is None:
            raise SluiceMissing(
                f"there is no slot `{self.names.slot}`: start the source connector, or set USERS_SLUICE_SLOT"
            )
        return row[0]

    def end_offsets(self) -> Offsets:
        """Return where the topic ends now.

        Raises:
            SluiceMissing: there is no such topic.

        """
        return self._with_consumer(self._end_offsets)

    def records_behind(self, ends: Offsets) -> int:
        """Return how many records the sink has yet to commit up to these offsets."""
        return self._with_consumer(lambda consumer: self._records_behind(consumer, ends))

    def wait_for_quiet_point(self, lsn: str, deadline: float) -> bool:
        """Wait until there is a quiet point for a WAL position, at most until `deadline` of the monotonic clock."""
        if not _wait(lambda: self.unconfirmed_bytes(lsn) <= 0, deadline):
            return False
        ends = self.end_offsets()
        return self._with_consumer(lambda consumer: _wait(lambda: self._records_behind(consumer, ends) == 0, deadline))

    def _with_consumer(self, ask: Callable[[Consumer], Answer]) -> Answer:
        """Ask with a client that carries the group's name, but never joins the group: it subscribes to nothing."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": self.names.group,
                "enable.auto.commit": False,
            }
        )
        try:
            return ask(consumer)
        finally:
            consumer.close()

    def _end_offsets(self, consumer: Consumer) -> Offsets:
        topic = consumer.list_topics(self.names.topic, timeout=_KAFKA_SECONDS).topics[self.names.topic]
        if topic.error is not None or not topic.partitions:
            raise SluiceMissing(
                f"there is no topic `{self.names.topic}`: start the source connector, or set USERS_SLUICE_TOPIC"
            )
        return {partition: self._watermarks(consumer, partition)[1] for partition in topic.partitions}

    def _records_behind(self, consumer: Consumer, ends: Offsets) -> int:
        partitions = [TopicPartition(self.names.topic, partition) for partition in ends]
        behind = 0
        for committed in consumer.committed(partitions, timeout=_KAFKA_SECONDS):
            if committed.error is not None:
                raise KafkaException(committed.error)
            # A negative offset means that the group has committed nothing: it begins at the first record.
            offset = committed.offset
            if offset < 0:
                offset = self._watermarks(consumer, committed.partition)[0]
            behind += max(ends[committed.partition] - offset, 0)
        return behind

    def _watermarks(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        return consumer.get_watermark_offsets(TopicPartition(self.names.topic, partition), timeout=_KAFKA_SECONDS)


def _wait(condition: Callable[[], bool], deadline: float) -> bool:
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True
