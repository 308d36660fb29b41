"""The guide of the frame names every option, event and error that there is, and no others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from croupier.webframe.client_files import CLIENT, NEWEST
from croupier.webframe.page_files import catalogue

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "webframe.md").read_text("utf-8")
TYPES = (CLIENT / NEWEST / "frame.d.ts").read_text("utf-8")


def declared(name: str) -> set[str]:
    """The fields of one interface of the types."""
    body = re.findall(rf"interface {name} {{\n(.*?)\n}}", TYPES, re.DOTALL)[0]
    return set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))


def cells(title: str) -> set[str]:
    """What stands in code in the first column of the table under a heading."""
    section = GUIDE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return {
        word for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for word in re.findall(r"`(\w+)`", cell)
    }


def test_every_option_of_the_types_is_in_the_guide() -> None:
    options = {name for name in declared("WebFrameOptions") if not name.startswith("on")}
    assert cells("Options") == options


def test_every_event_of_the_types_is_in_the_guide() -> None:
    assert cells("Events and methods") == declared("WebFrameEvents") - {"height", "scrollto"}


def test_every_error_of_the_guide_has_words() -> None:
    codes = set(re.findall(r"^\| `error` with `(\w+)`", GUIDE, re.MULTILINE)) - {"timeout"}
    assert codes
    assert {f"error.{code}" for code in codes} <= catalogue("en").keys()


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not on this machine (Debian: apt install php-cli)")
@pytest.mark.parametrize(("before", "token"), [("", None), ('$user = "anna</script>"; ', "anna</script>")])
def test_the_page_in_php_names_the_hub_and_holds_the_token_as_text(
    tmp_path: Path, before: str, token: str | None
) -> None:
    (block,) = re.findall(r"```php\n(.*?)```", GUIDE, re.DOTALL)
    page = tmp_path / "index.php"
    page.write_text(f"<?php {before}function refresh_token($user) {{ return $user; }} ?>" + block, "utf-8")
    environ = {**os.environ, "HUB": "https://hub.example", "CLIENT_ID": "2201"}
    said = subprocess.run(["php", str(page)], env=environ, capture_output=True, text=True, check=True).stdout
    (options,) = re.findall(r"new WebFrame\((.*)\);", said)
    told = {"server": "https://hub.example/frame", "clientId": 2201} | ({} if token is None else {"token": token})
    assert json.loads(options) == told
    assert said.count("</script>") == 2
    assert 'src="https://hub.example/assets/frame.js"' in said


def test_the_commands_of_the_guides_exist() -> None:
    from croupier.cli.index import COMMANDS  # noqa: PLC0415 - loads the command line

    known = set(COMMANDS)
    for guide in ("webframe.md", "getting_started.md", "casino.md", "provider.md"):
        text = (ROOT / "docs" / "guides" / guide).read_text("utf-8")
        for words in re.findall(r"croupier ((?:[a-z-]+ ?){1,2})", text):
            assert any(command.startswith(words.split()[0]) for command in known), words
