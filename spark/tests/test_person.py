from datetime import date

import pytest

from users_stats.person import Change, Effect, Move, Position, Session, State, Tally, age_band, effect

AGE_AT = date(2026, 1, 1)
GAP_MS = 300_000
MINUTE = 60_000
BORN = date(1990, 6, 1)


def change(commit: int, op: str, at: int = 0, country: str | None = "Norway", born: date | None = BORN) -> Change:
    return Change(Position(0, commit, 0), op, at, country, None if op == "d" else born)


def applied(state: State | None, *changes: Change) -> Effect | None:
    return effect(state, changes, AGE_AT, GAP_MS)


def state_after(*changes: Change) -> State:
    return applied(None, *changes).state


def test_insert_counts_a_person_once():
    result = applied(None, change(1, "c", at=MINUTE + 1))

    assert result.moves == [Move("Norway", "30-39", 1)]
    assert result.tallies == [Tally("Norway", MINUTE, "c")]


def test_repetition_has_no_effect_however_late_it_comes():
    state = state_after(change(1, "c"), change(5, "u"))

    assert applied(state, change(1, "c"), change(5, "u")) is None


def test_repetition_within_a_batch_is_counted_once():
    result = applied(None, change(1, "c"), change(1, "c"))

    assert len(result.tallies) == 1


def test_order_is_epoch_then_commit_then_index():
    state = State(Position(1, 10, 2), "Norway", "30-39")

    def at(*position: int) -> Change:
        return Change(Position(*position), "u", 0, "Norway", BORN)

    assert applied(state, at(0, 99, 9)) is None
    assert applied(state, at(1, 10, 1)) is None
    assert applied(state, at(1, 10, 3)) is not None
    assert applied(state, at(2, 1, 0)) is not None


def test_move_takes_back_what_the_state_says_without_a_before_image():
    state = state_after(change(1, "c"))

    result = applied(state, change(2, "u", country="Spain", born=date(2010, 1, 1)))

    assert result.moves == [Move("Norway", "30-39", -1), Move("Spain", "0-17", 1)]


def test_update_in_the_same_group_moves_nobody():
    assert applied(state_after(change(1, "c")), change(2, "u")).moves == []


def test_second_snapshot_does_not_count_people_again():
    state = state_after(change(1, "r"))

    result = applied(state, change(9, "r"))

    assert (result.moves, result.tallies) == ([], [])
    assert result.state.position.commit == 9


def test_snapshot_is_no_change():
    assert applied(None, change(1, "r")).tallies == []


def test_erased_person_leaves_only_a_position():
    state = state_after(change(1, "c"), change(2, "u"))

    result = applied(state, change(3, "d", country=None))

    assert result.state == State(Position(0, 3, 0))
    assert result.moves == [Move("Norway", "30-39", -1)]
    assert result.erased


def test_late_insert_does_not_bring_an_erased_person_back():
    state = state_after(change(1, "c"), change(3, "d"))

    assert applied(state, change(1, "c")) is None


def test_delete_is_counted_for_the_country_of_the_state():
    result = applied(state_after(change(1, "c", country="Spain")), change(2, "d", country=None))

    assert result.tallies == [Tally("Spain", 0, "d")]


@pytest.mark.parametrize(("before_image", "country"), [("Spain", "Spain"), (None, "unknown")])
def test_delete_of_a_stranger_is_counted_by_its_before_image(before_image: str | None, country: str):
    result = applied(None, change(2, "d", country=before_image))

    assert result.tallies == [Tally(country, 0, "d")]
    assert result.moves == []


def test_edits_without_a_pause_are_one_session():
    result = applied(None, change(1, "c", at=0), change(2, "u", at=1000), change(3, "u", at=2000))

    assert result.sessions == [Session(1000, 2000, 2)]


def test_session_goes_on_in_a_later_batch():
    state = state_after(change(1, "c"), change(2, "u", at=1000))

    assert applied(state, change(3, "u", at=1000 + GAP_MS)).sessions == [Session(1000, 1000 + GAP_MS, 2)]


def test_pause_starts_a_new_session():
    state = state_after(change(1, "c"), change(2, "u", at=1000))

    assert applied(state, change(3, "u", at=1001 + GAP_MS)).sessions == [Session(1001 + GAP_MS, 1001 + GAP_MS, 1)]


def test_clock_that_steps_back_does_not_shorten_a_session():
    result = applied(None, change(1, "c"), change(2, "u", at=5000), change(3, "u", at=4000))

    assert result.sessions == [Session(5000, 5000, 2)]


def test_sessions_before_an_erasure_are_not_written():
    result = applied(
        None, change(1, "c"), change(2, "u", at=1000), change(3, "d"), change(4, "c"), change(5, "u", at=9000)
    )

    assert result.sessions == [Session(9000, 9000, 1)]
    assert result.erased


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2030, 1, 1), "0-17"),
        (date(2008, 1, 2), "0-17"),
        (date(2008, 1, 1), "18-29"),
        (date(1996, 1, 2), "18-29"),
        (date(1996, 1, 1), "30-39"),
        (date(1956, 1, 2), "60-69"),
        (date(1956, 1, 1), "70+"),
    ],
)
def test_bands_begin_on_the_birthday(born: date, band: str):
    assert age_band(born, AGE_AT) == band


def test_born_on_a_leap_day_is_a_year_older_in_march():
    assert age_band(date(2008, 2, 29), date(2026, 2, 28)) == "0-17"
    assert age_band(date(2008, 2, 29), date(2026, 3, 1)) == "18-29"
