"""Optional settings of the DAGs: environment variables with defaults, checked when they are read."""

import os


class SettingError(ValueError):
    """An environment variable holds what it must not."""


def number(name: str, default: int, *, least: int = 0) -> int:
    """Read a whole number.

    Raises:
        SettingError: it is no whole number, or less than `least`.

    """
    setting = os.environ.get(name) or str(default)
    if not (setting.isascii() and setting.isdecimal()) or int(setting) < least:
        raise SettingError(f"`{name}` is `{setting}`; it must be a whole number of at least {least}, as {default}")
    return int(setting)


def text(name: str, default: str) -> str:
    """Read a text; an empty one counts as not set."""
    return os.environ.get(name) or default
