"""Reads the settings from the environment, a TOML file, secret files and commands, once at start.

Owns: reading, typing and checking. Never: what a setting does, nor the table of them (settings). Spec: operate.md 1.

A setting `poll_ms` is the environment variable CROUPIER_POLL_MS, or the key `poll_ms` (or CROUPIER_POLL_MS) of the
TOML file that CROUPIER_CONFIG names; the environment wins. A secret may lie in a file that `<NAME>_FILE` names,
or be printed by the command `<NAME>_COMMAND`.
Whatever is wrong is reported at once, each problem in one line, never with a value that may be a secret.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from croupier.kit.os_words import os_words
from croupier.kit.private_file import everybody_reads
from croupier.kit.settings import PREFIX, SETTINGS, Secret, Setting, Settings

__all__ = ["SETTINGS", "BadSettings", "Secret", "Setting", "Settings", "load"]

COMMAND_S = 10.0
"""Seconds for which a command that prints a secret may run."""
MOST_SECRET = 65_536
"""The most characters of a secret."""
_BY_ENV = {setting.env: setting for setting in SETTINGS}
_CONFIG = PREFIX + "CONFIG"
_SOURCE = re.compile(r"_(?:FILE|COMMAND)\Z")
_INJECTED = re.compile(
    PREFIX + r"(?:[A-Z0-9_]+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_[0-9]{1,5}_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
"""Variables that Kubernetes sets in every pod for services whose names begin with `croupier`. They are not settings."""
_INJECTED_PORT = re.compile(PREFIX + r"(?:[A-Z0-9_]+_)?PORT")
_INJECTED_URL = re.compile(r"(?:tcp|udp|sctp)://\S*")


class BadSettings(Exception):
    """Settings that are wrong or unknown: all of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings, or raise BadSettings with everything that is wrong."""
    problems: list[str] = []
    given: dict[str, tuple[str, object]] = {}
    _read_file(environ.get(_CONFIG, "").strip(), given, problems)
    _read_environment(environ, given, problems)
    values: dict[str, Any] = {}
    for env, (source, raw) in given.items():
        try:
            values[_BY_ENV[env].name] = _value(_BY_ENV[env], raw)
        except ValueError as error:
            problems.append(f"{source} {error}")
    problems += _across(Settings(**values))
    if problems:
        raise BadSettings(problems)
    return Settings(**values)


def _read_file(name: str | None, given: dict[str, tuple[str, object]], problems: list[str]) -> None:
    """Take what the TOML file says."""
    if not name:
        return
    try:
        document = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{_CONFIG} names {name}, which cannot be read: {_short(error)}")
        return
    for key, raw in document.items():
        env = key if key.startswith(PREFIX) else PREFIX + key.upper()
        if env in _BY_ENV and (key == env or key == key.lower()):
            given[env] = (f"{key} in {name}", raw)
        elif not _read_secret(env, str(raw), given, problems=problems):
            problems.append(f"{key} in {name} is unknown{_near(key, [s.name for s in SETTINGS])}")


def _read_environment(environ: Mapping[str, str], given: dict[str, tuple[str, object]], problems: list[str]) -> None:
    """Take what the environment says, over what the file said. A variable that is set to nothing is not set."""
    environ = {env: text for env, text in environ.items() if text.strip() and not _injected(env, text)}
    for env in sorted(environ):
        if not env.startswith(PREFIX) or env == _CONFIG:
            continue
        if env in _BY_ENV:
            given[env] = (env, environ[env])
        elif not _read_secret(env, environ[env], given, problems=problems):
            problems.append(f"{env} is unknown{_near(env, [*_BY_ENV, _CONFIG])}")
        else:
            problems += _twice(env, environ)


def _injected(env: str, text: str) -> bool:
    """Return whether the platform set this variable, not a person."""
    known = env in _BY_ENV
    by_name = not known and _INJECTED.fullmatch(env) is not None
    return by_name or (_INJECTED_PORT.fullmatch(env) is not None and _INJECTED_URL.fullmatch(text.strip()) is not None)


def _twice(env: str, environ: Mapping[str, str]) -> list[str]:
    """Return the problem of a secret that comes from two places."""
    secret = _SOURCE.sub("", env)
    # Of three places, each pair is told once.
    others = [name for name in (secret, f"{secret}_COMMAND") if name in environ and name != env]
    return [f"{env} and {other} are both set: keep one" for other in others]


def _read_secret(env: str, told: str, given: dict[str, tuple[str, object]], *, problems: list[str]) -> bool:
    """Take a secret from the file of `<NAME>_FILE` or the command `<NAME>_COMMAND`. False if it is no such name."""
    secret = _SOURCE.sub("", env)
    if secret == env or secret not in _BY_ENV or not _BY_ENV[secret].is_secret:
        return False
    try:
        read = _read_secret_file if env.endswith("_FILE") else _run_secret_command
        given[secret] = (env, read(told.strip()))
    except _NoSecret as none:
        problems.append(f"{env} names {none}")
    return True


class _NoSecret(Exception):
    """There is no secret to be had. The text never holds what was read."""


def _read_secret_file(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if everybody_reads(path, mode):
                raise _NoSecret(
                    f"{path}, which everybody on this machine may read: run `chmod 640 {path}` (or 600), and change the "
                    "secret if they did"
                )
            return file.read(MOST_SECRET).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _NoSecret(f"{path}, which cannot be read: {_short(error)}") from None


def _run_secret_command(command: str) -> str:
    """Run the command without a shell and return what it prints. Its errors may hold secrets, so they are not shown."""
    try:
        words = shlex.split(command)
    except ValueError:
        raise _NoSecret("a command that cannot be run: its quotes are not closed") from None
    try:
        done = subprocess.run(  # noqa: S603 - whoever sets the hub's environment may run programs as the hub
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S, check=False
        )
        if done.returncode != 0:
            raise _NoSecret(f"a command that failed with exit code {done.returncode}: run it by hand to see why")
        return done.stdout[:MOST_SECRET].decode("utf-8").strip()
    except subprocess.TimeoutExpired:
        raise _NoSecret(f"a command that did not end within {COMMAND_S:g} s") from None
    except (OSError, ValueError, IndexError) as error:
        raise _NoSecret(f"a command that cannot be run: {_short(error)}") from None


def _value(setting: Setting, raw: object) -> object:
    """Return the typed and checked value of a setting. Raises ValueError with what it must be."""
    options = [option for option in get_args(setting.type) if option is not type(None)]
    wanted = options[0] if len(options) == 1 else setting.type
    value = _READERS[wanted](raw)
    wrong = setting.check(value) if setting.check else None
    if wrong:
        raise ValueError(wrong)
    return value


def _read_int(raw: object) -> int:
    text = str(raw).strip()
    if isinstance(raw, bool) or not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise ValueError("must be a whole number")
    return int(text)


def _read_float(raw: object) -> float:
    try:
        value = float(str(raw))
    except ValueError:
        value = math.nan
    if isinstance(raw, bool) or not math.isfinite(value):
        raise ValueError("must be a number")
    return value


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _read_bool(raw: object) -> bool:
    word = str(raw).strip().lower()
    if word not in _WORDS:
        raise ValueError("must be 1 or 0 (or true, false, yes, no, on, off)")
    return _WORDS[word]


def _read_floats(raw: object) -> tuple[float, ...]:
    parts = raw if isinstance(raw, list) else str(raw).split(",")
    try:
        return tuple(_read_float(part) for part in parts)
    except ValueError as error:
        raise ValueError("must be numbers with commas between them") from error


def _read_str(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("must be a text that is not empty")
    return raw.strip()


_READERS: dict[Any, Callable[[object], object]] = {
    int: _read_int,
    float: _read_float,
    bool: _read_bool,
    str: _read_str,
    tuple[float, ...]: _read_floats,
    Path: lambda raw: Path(_read_str(raw)).expanduser(),
    Secret: lambda raw: Secret(_read_str(raw)),
}


def _across(settings: Settings) -> list[str]:
    """Return the contradictions between settings that are each valid."""
    problems: list[str] = []
    if Decimal(settings.default_min_bet) > Decimal(settings.default_max_bet):
        problems.append("CROUPIER_DEFAULT_MIN_BET is more than CROUPIER_DEFAULT_MAX_BET")
    if settings.feed_channel == "redis" and settings.feed_redis_url is None:
        problems.append("CROUPIER_FEED_CHANNEL=redis needs CROUPIER_FEED_REDIS_URL")
    if settings.feed_channel == "process" and settings.workers > 1 and not settings.feed_process:
        problems.append("CROUPIER_FEED_CHANNEL=process needs CROUPIER_FEED_PROCESS=1 or CROUPIER_WORKERS=1")
    if settings.docs_try and not settings.allow_private_peers:
        problems.append("CROUPIER_DOCS_TRY is for sandboxes with play money: it needs CROUPIER_ALLOW_PRIVATE_PEERS=1")
    return problems


def _near(word: str, known: list[str]) -> str:
    """Return a suggestion for a misspelt name."""
    # What all names begin with would make any two of them look alike.
    names = {name.removeprefix(PREFIX): name for name in known}
    guess = difflib.get_close_matches(word.removeprefix(PREFIX), names, n=1, cutoff=0.75)
    return f": did you mean {names[guess[0]]}?" if guess else ""


def _short(error: Exception) -> str:
    """Return the cause and what to do, without the contents of the file."""
    if isinstance(error, OSError):
        return os_words(error)
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8; save it as UTF-8"
    if isinstance(error, tomllib.TOMLDecodeError):
        place = re.search(r" \(at [a-z0-9 ,]+\)$", str(error))
        return f"it is no TOML{place[0] if place else ''}; write lines such as port = 8080"
    return "a number in it is too long, or a date impossible; correct it"
