"""docs/SETTINGS.md and the table of settings say the same: every name once, in the same order, with its default."""

from __future__ import annotations

import re
from pathlib import Path

from croupier.kit.settings import SETTINGS, Setting

PAGE = Path(__file__).parents[2] / "docs" / "SETTINGS.md"
ROW = re.compile(r"^\| `(CROUPIER_\w+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str]]:
    """Name, default and meaning of every row, in order."""
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def shown(value: object) -> str:
    """A default as the page writes it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def default_of(setting: Setting) -> str:
    return "none" if setting.default is None else f"`{shown(setting.default)}`"


def test_every_setting_has_one_row_and_every_row_a_setting() -> None:
    assert [name for name, _, _ in rows()] == [setting.env for setting in SETTINGS]


def test_every_default_on_the_page_is_the_real_one() -> None:
    assert {name: default for name, default, _ in rows()} == {s.env: default_of(s) for s in SETTINGS}


def test_every_setting_has_a_meaning_of_some_words() -> None:
    assert [name for name, _, meaning in rows() if len(meaning.split()) < 4] == []


def test_the_page_names_the_file_form_of_every_secret_and_the_settings_file() -> None:
    text = PAGE.read_text(encoding="utf-8")
    secrets = [f"`{setting.env}_FILE`" for setting in SETTINGS if setting.is_secret]
    assert secrets
    assert [name for name in [*secrets, "`CROUPIER_CONFIG`"] if name not in text] == []


def test_the_page_names_no_setting_that_is_not_there() -> None:
    named = set(re.findall(r"\bCROUPIER_[A-Z_]+\b", PAGE.read_text(encoding="utf-8")))
    known = {setting.env for setting in SETTINGS}
    files = {f"{setting.env}{form}" for setting in SETTINGS if setting.is_secret for form in ("_FILE", "_COMMAND")}
    assert named - known - files == {"CROUPIER_CONFIG"}
