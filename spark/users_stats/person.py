"""What the changes of one person do to the statistics. Pure: no Spark, no I/O.

Changes of one person are compared by their place in the source's log. The state of a person keeps the place of the
last change that was counted, so a repetition is recognised however late it comes, and it keeps what the person
counts as, so a change needs no before-image: it takes back what is in the state and adds what is true now.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

INSERT, UPDATE, DELETE, READ = "c", "u", "d", "r"
"""Debezium's operations; READ is a row of a snapshot, which tells what is there but is no change."""

UNKNOWN_COUNTRY = "unknown"
"""Country of a delete that nothing tells: neither the state nor a before-image."""

MINUTE_MS = 60_000


class Position(NamedTuple):
    """Place of a change in the source's log; later changes of the same row compare greater."""

    epoch: int
    commit: int
    index: int


class Change(NamedTuple):
    """One change of one person. `at` is the commit time in ms since 1970; `country` and `born` describe the new row.

    A delete has no new row: `born` is none, and `country` is that of the before-image, if it has one.
    """

    position: Position
    op: str
    at: int
    country: str | None
    born: date | None


class State(NamedTuple):
    """What is known of a person after the last change. Without a row in the table, only the position is set.

    The session is the last one; its times are in ms since 1970.
    """

    position: Position
    country: str | None = None
    age_band: str | None = None
    session_start: int | None = None
    session_end: int | None = None
    session_edits: int | None = None


class Move(NamedTuple):
    """People to add to a group of the population; negative to take away."""

    country: str
    age_band: str
    people: int


class Tally(NamedTuple):
    """One insert, update or delete, in the minute (ms since 1970) of its commit."""

    country: str
    minute: int
    op: str


class Session(NamedTuple):
    """A run of updates without a long pause. Times in ms since 1970."""

    start: int
    end: int
    edits: int


class Effect(NamedTuple):
    """What to do because of new changes: nothing of it depends on how often it is done."""

    state: State
    moves: list[Move]
    tallies: list[Tally]
    sessions: list[Session]
    erased: bool


def age_band(born: date, at: date) -> str:
    """Name the band of the age in completed years on the day `at`: under 18, then 18-29, 30-39 … 60-69, 70+."""
    age = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    if age < 18:
        return "0-17"
    if age < 30:
        return "18-29"
    if age >= 70:
        return "70+"
    decade = age // 10 * 10
    return f"{decade}-{decade + 9}"


def effect(state: State | None, changes: Iterable[Change], age_at: date, session_gap_ms: int) -> Effect | None:
    """Apply the changes, sorted by position, to the state; none when all of them were counted before."""
    now = state
    tallies: list[Tally] = []
    sessions: dict[int, Session] = {}
    erased = False
    for change in changes:
        if now is not None and change.position <= now.position:
            continue
        if change.op != READ:
            tallies.append(_tally(now, change))
        if change.op == DELETE:
            now = State(change.position)
            sessions.clear()
            erased = True
            continue
        now = _with_row(now, change, age_at)
        if change.op == UPDATE:
            session = _session(now, change.at, session_gap_ms)
            sessions[session.start] = session
            now = now._replace(session_start=session.start, session_end=session.end, session_edits=session.edits)
    if now is state or now is None:
        return None
    return Effect(now, _moves(state, now), tallies, list(sessions.values()), erased)


def _with_row(state: State | None, change: Change, age_at: date) -> State:
    known = state or State(change.position)
    band = age_band(change.born, age_at)
    return known._replace(position=change.position, country=change.country, age_band=band)


def _tally(state: State | None, change: Change) -> Tally:
    country = change.country
    if change.op == DELETE:
        country = (state.country if state else None) or change.country or UNKNOWN_COUNTRY
    return Tally(country, change.at - change.at % MINUTE_MS, change.op)


def _session(state: State, at: int, gap_ms: int) -> Session:
    """Continue the session of the state, or start a new one. A commit time before the last one counts as the last."""
    if state.session_start is None or at - state.session_end > gap_ms:
        return Session(at, at, 1)
    return Session(state.session_start, max(at, state.session_end), state.session_edits + 1)


def _moves(before: State | None, after: State) -> list[Move]:
    old = (before.country, before.age_band) if before else (None, None)
    new = (after.country, after.age_band)
    if old == new:
        return []
    moves = [Move(*old, -1), Move(*new, 1)]
    return [move for move in moves if move.country is not None]
