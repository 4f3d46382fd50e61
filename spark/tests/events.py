"""Writes change events as the source does: Debezium's envelope, Confluent's frame, one header with the position."""

import copy
import io
import json
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "users.public.users-value.avsc").read_text())
PARTITIONS = 3


def evolved_schema() -> dict:
    """Add a column in front of the others: read with the old one, every field is another."""
    schema = copy.deepcopy(SCHEMA)
    row = schema["fields"][0]["type"][1]
    row["fields"].insert(0, {"name": "nickname", "type": ["null", "string"], "default": None})
    return schema


@dataclass
class Event:
    """One change, before it is encoded; `commit` orders it."""

    commit: int
    op: str
    before: dict | None
    after: dict | None
    at_ms: int
    is_evolved: bool = False


@dataclass
class Table:
    """The table behind a topic: makes the events of its changes and knows what it holds, which is the truth to meet."""

    rows: dict[str, dict] = field(default_factory=dict)
    commit: int = 10_000
    now_ms: int = field(default_factory=lambda: int(time.time() * 1000) // 60_000 * 60_000 - 3_600_000)
    is_evolved: bool = False

    def insert(self, country: str, born: str, user_id: str | None = None) -> Event:
        row = user(user_id or str(uuid.uuid4()), country, born)
        self.rows[row["id"]] = row
        return self._event("c", None, row)

    def update(self, user_id: str, **columns) -> Event:
        before = self.rows[user_id]
        self.rows[user_id] = {**before, **columns}
        return self._event("u", before, self.rows[user_id])

    def delete(self, user_id: str) -> Event:
        return self._event("d", self.rows.pop(user_id), None)

    def snapshot(self) -> list[Event]:
        return [self._event("r", None, row) for row in self.rows.values()]

    def _event(self, op: str, before: dict | None, after: dict | None) -> Event:
        self.commit += 100
        return Event(self.commit, op, before, after, self.now_ms, self.is_evolved)


class UsersTopic:
    """A topic of its own, with both schemas registered."""

    def __init__(self, kafka: str, registry: str):
        self.name = f"spark_test_{uuid.uuid4().hex}.public.users"
        admin = AdminClient({"bootstrap.servers": kafka})
        for future in admin.create_topics([NewTopic(self.name, PARTITIONS, 1)]).values():
            future.result()
        self._producer = Producer({"bootstrap.servers": kafka})
        schemas = [SCHEMA, evolved_schema()]
        self._ids = [register(registry, f"{self.name}-value", schema) for schema in schemas]
        self._schemas = [fastavro.parse_schema(schema) for schema in schemas]

    def send(self, *events: Event, has_position: bool = True, has_before: bool = True) -> None:
        """Write events, each delete with its tombstone."""
        for event in events:
            key = (event.after or event.before)["id"]
            headers = {"sluice.position": f"0/{event.commit}/0/1"} if has_position else {}
            self.send_raw(key, self.encode(event, has_before), headers)
            if event.op == "d":
                self.send_raw(key, None, headers)
        self.flush()

    def send_raw(self, key: str | None, value: bytes | None, headers: dict | None = None) -> None:
        """Write any bytes."""
        self._producer.produce(self.name, key=key, value=value, headers=list((headers or {}).items()))

    def flush(self) -> None:
        assert self._producer.flush(30) == 0, "Kafka does not take the messages"

    def encode(self, event: Event, has_before: bool = True) -> bytes:
        source = {
            **{"version": "3.0.8.Final", "connector": "postgresql", "name": "users", "ts_ms": event.at_ms},
            **{"db": "users", "schema": "public", "table": "users", "lsn": event.commit - 50},
        }
        envelope = {
            **{"op": event.op, "before": event.before if has_before else None, "after": event.after},
            **{"source": source, "ts_ms": event.at_ms},
        }
        body = io.BytesIO()
        fastavro.schemaless_writer(body, self._schemas[event.is_evolved], envelope)
        return frame(self._ids[event.is_evolved], body.getvalue())


def frame(schema_id: int, body: bytes) -> bytes:
    return b"\x00" + schema_id.to_bytes(4, "big") + body


def register(registry: str, subject: str, schema: dict) -> int:
    request = urllib.request.Request(  # noqa: S310
        f"{registry}/subjects/{subject}/versions",
        data=json.dumps({"schema": json.dumps(schema)}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)["id"]


def user(user_id: str, country: str, born: str) -> dict:
    texts = ("gender", "name_title", "name_first", "name_last", "street_name", "city", "state", "postcode", "raw")
    more = ("timezone_offset", "timezone_description", "email", "username", "national_id_name", "nat")
    return {
        **dict.fromkeys((*texts, *more), "x"),
        **{"id": user_id, "country": country, "dob": f"{born}T08:00:00.000000Z", "registered": "2020-01-01T00:00:00Z"},
        **{"street_number": 1, "latitude": Decimal("1.5000"), "longitude": Decimal("-1.5000"), "version": 1},
        **{"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"},
    }
