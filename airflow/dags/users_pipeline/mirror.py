"""Reads the mirror of the users table in Cassandra. Sluice alone writes it."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from cassandra import ConsistencyLevel, ProtocolVersion
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.query import SimpleStatement, tuple_factory

TABLE = "users"

_PAGE_ROWS = 500
"""Rows of one page of a scan; some weigh 16 kB."""

_PATIENCE_SECONDS = 30
"""Patience with one answer. Nobody waits for these reads but a task, and a busy node is not a lost one."""

_AT_ONCE = 32
"""Look-ups by key that are under way at once."""


class MirrorIncomplete(Exception):
    """The mirror has not the columns of the users table."""


@dataclass(frozen=True)
class Mirror:
    """An open session on the keyspace of the mirror. Cells come in the order of the asked columns."""

    session: Session
    keyspace: str

    @classmethod
    @contextmanager
    def connect(cls, host: str, port: int, keyspace: str) -> Iterator[Self]:
        """Connect through any node; reads need a quorum of the local data centre, as the sink's writes do."""
        profile = ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
            consistency_level=ConsistencyLevel.LOCAL_QUORUM,
            request_timeout=_PATIENCE_SECONDS,
            row_factory=tuple_factory,
        )
        cluster = Cluster(
            [host],
            port=port,
            protocol_version=ProtocolVersion.V5,  # of Cassandra 4.0 and later; the driver would begin with DSE's own
            connect_timeout=_PATIENCE_SECONDS,
            control_connection_timeout=_PATIENCE_SECONDS,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        )
        try:
            yield cls(cluster.connect(), keyspace)
        finally:
            cluster.shutdown()

    def require(self, columns: list[str]) -> None:
        """Check that the mirror has these columns.

        Raises:
            MirrorIncomplete: names those that are missing, or the table.

        """
        statement = "SELECT column_name FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s"
        present = {name for (name,) in self.session.execute(statement, [self.keyspace, TABLE])}
        if not present:
            raise MirrorIncomplete(f"there is no table `{self.keyspace}.{TABLE}`: start the sink connector")
        missing = [column for column in columns if column not in present]
        if missing:
            raise MirrorIncomplete(f"`{self.keyspace}.{TABLE}` lacks the columns: {', '.join(missing)}")

    def scan(self, columns: list[str]) -> Iterator[list[object]]:
        """Read every row."""
        statement = SimpleStatement(self._select(columns), fetch_size=_PAGE_ROWS)
        yield from self.session.execute(statement)

    def look_up(self, columns: list[str], keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[object]]:
        """Read the rows of these keys, as far as they exist."""
        select = self.session.prepare(f"{self._select(columns)} WHERE id = ?")
        arguments = [(key,) for key in keys]
        answers = execute_concurrent_with_args(self.session, select, arguments, concurrency=_AT_ONCE)
        return {
            key: row for (key,), (_, rows) in zip(arguments, answers, strict=True) if (row := rows.one()) is not None
        }

    def _select(self, columns: list[str]) -> str:
        names = ", ".join(f'"{column}"' for column in columns)
        return f'SELECT {names} FROM "{self.keyspace}"."{TABLE}"'
