"""What the tables should hold, from the rows of the source's table; and what they do hold."""

from collections import Counter
from datetime import date

from cassandra.cluster import Session
from events import Table

from users_stats.person import age_band

AGE_AT = date(2026, 1, 1)


def expected_population(table: Table) -> dict[tuple[str, str], int]:
    """Count the people that there are."""
    return dict(
        Counter((row["country"], age_band(date.fromisoformat(row["dob"][:10]), AGE_AT)) for row in table.rows.values())
    )


def population(cassandra: Session, keyspace: str) -> dict[tuple[str, str], int]:
    """Read the groups that have people."""
    rows = cassandra.execute(f"SELECT country, age_band, people FROM {keyspace}.population")
    return {(row.country, row.age_band): row.people for row in rows if row.people != 0}


def changes(cassandra: Session, keyspace: str, window_seconds: int = 60) -> dict[str, tuple[int, int, int]]:
    """Read inserts, updates and deletes of each country, summed over its windows."""
    rows = cassandra.execute(f"SELECT * FROM {keyspace}.changes_by_country")
    sums: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        if row.window_seconds == window_seconds:
            old = sums.get(row.country, (0, 0, 0))
            sums[row.country] = tuple(map(sum, zip(old, (row.inserts, row.updates, row.deletes), strict=True)))
    return sums


def sessions(cassandra: Session, keyspace: str) -> dict[str, list[tuple[int, int]]]:
    """Read the sessions of each user, oldest first, as (length in seconds, edits)."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in cassandra.execute(f"SELECT * FROM {keyspace}.user_sessions"):
        length = int((row.session_end - row.session_start).total_seconds())
        found.setdefault(str(row.user_id), []).insert(0, (length, row.edits))
    return found


def everything(cassandra: Session, keyspace: str) -> tuple:
    """Read all statistics, to compare two moments or two keyspaces."""
    return (
        population(cassandra, keyspace),
        changes(cassandra, keyspace),
        changes(cassandra, keyspace, 300),
        sessions(cassandra, keyspace),
    )
