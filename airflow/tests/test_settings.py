"""Settings from the environment."""

import pytest

from users_pipeline import settings


def test_an_unset_or_empty_setting_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.number("USERS_TEST", 7) == 7

    monkeypatch.setenv("USERS_TEST", "")

    assert settings.number("USERS_TEST", 7) == 7
    assert settings.text("USERS_TEST", "seven") == "seven"


@pytest.mark.parametrize("value", ["seven", "-1", "1.5", "0", "10", "٣"])
def test_a_wrong_number_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("USERS_TEST", value)

    with pytest.raises(
        settings.SettingError, match=f"`USERS_TEST` is `{value}`; it must be a whole number of at least 1 and at most 9"
    ):
        settings.number("USERS_TEST", 7, least=1, most=9)
