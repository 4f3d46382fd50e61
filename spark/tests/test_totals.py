from users_stats.totals import Counts, WindowKey, window_counts

MINUTE = 60_000


def test_change_is_in_one_tumbling_and_five_sliding_windows():
    counts = window_counts([("Norway", 10 * MINUTE, "c", 3)], oldest_ms=0)

    starts = {key.window_start // MINUTE for key in counts if key.window_seconds == 300}
    assert starts == {6, 7, 8, 9, 10}
    assert counts[WindowKey("Norway", 60, 10 * MINUTE)] == Counts(inserts=3)
    assert len(counts) == 6


def test_kinds_and_minutes_add_up():
    counts = window_counts(
        [("Norway", 10 * MINUTE, "c", 3), ("Norway", 10 * MINUTE, "d", 1), ("Norway", 11 * MINUTE, "u", 2)], oldest_ms=0
    )

    assert counts[WindowKey("Norway", 60, 10 * MINUTE)] == Counts(3, 0, 1)
    assert counts[WindowKey("Norway", 300, 10 * MINUTE)] == Counts(3, 2, 1)
    assert counts[WindowKey("Norway", 300, 6 * MINUTE)] == Counts(3, 0, 1)


def test_countries_are_apart():
    counts = window_counts([("Norway", 0, "c", 1), ("Spain", 0, "c", 2)], oldest_ms=0)

    assert counts[WindowKey("Spain", 60, 0)] == Counts(inserts=2)


def test_windows_that_would_have_expired_are_left_out():
    counts = window_counts([("Norway", 10 * MINUTE, "c", 1)], oldest_ms=9 * MINUTE)

    assert {key.window_start // MINUTE for key in counts} == {9, 10}
