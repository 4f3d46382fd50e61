"""From the effects of people to what is added to rows of the aggregate tables. Pure: no Spark, no I/O."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from users_stats.person import DELETE, INSERT, MINUTE_MS, UPDATE

TUMBLING_SECONDS = 60
SLIDING_SECONDS = 300
"""The sliding window starts every minute, so that each of them is made of whole minutes."""


class WindowKey(NamedTuple):
    """Key of a row of `changes_by_country`; the start is in ms since 1970."""

    country: str
    window_seconds: int
    window_start: int


class Counts(NamedTuple):
    """Changes of each kind."""

    inserts: int = 0
    updates: int = 0
    deletes: int = 0


def window_counts(tallies: Iterable[tuple[str, int, str, int]], oldest_ms: int) -> dict[WindowKey, Counts]:
    """Sum (country, minute in ms, operation, number) by window; windows that start before `oldest_ms` are left out."""
    sums: dict[WindowKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for country, minute, op, number in tallies:
        for key in _windows(country, minute):
            if key.window_start >= oldest_ms:
                sums[key][(INSERT, UPDATE, DELETE).index(op)] += number
    return {key: Counts(*counts) for key, counts in sums.items()}


def _windows(country: str, minute: int) -> Iterable[WindowKey]:
    yield WindowKey(country, TUMBLING_SECONDS, minute)
    for start in range(minute - SLIDING_SECONDS * 1000 + MINUTE_MS, minute + 1, MINUTE_MS):
        yield WindowKey(country, SLIDING_SECONDS, start)
