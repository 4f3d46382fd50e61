"""Optional settings of the DAGs: environment variables with defaults, checked when they are read."""

import os


class SettingError(ValueError):
    """An environment variable holds what it must not."""


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """Read a whole number.

    Raises:
        SettingError: it is no whole number, less than `least` or more than `most`.

    """
    setting = os.environ.get(name) or str(default)
    is_number = setting.isascii() and setting.isdecimal()
    if not is_number or int(setting) < least or (most is not None and int(setting) > most):
        limit = "" if most is None else f" and at most {most}"
        raise SettingError(f"`{name}` is `{setting}`; it must be a whole number of at least {least}{limit}")
    return int(setting)


def text(name: str, default: str) -> str:
    """Read a text; an empty one counts as not set."""
    return os.environ.get(name) or default
