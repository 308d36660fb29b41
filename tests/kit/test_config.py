"""kit.config and kit.settings: where settings come from, and that everything wrong is said at once."""

from __future__ import annotations

import shlex
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from croupier.core.waits import Waits
from croupier.kit.config import SETTINGS, BadSettings, Secret, Settings, load


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as bad:
        load(environ)
    return bad.value.problems


def test_without_anything_the_defaults_hold() -> None:
    assert load({"PATH": "/bin"}) == Settings()


def test_the_table_has_every_field_with_its_meaning_and_a_default_that_passes_its_own_check() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in fields(Settings)]
    for setting in SETTINGS:
        assert setting.help
        assert setting.help[0].isupper()
        assert setting.env == "CROUPIER_" + setting.name.upper()
        if setting.check is not None and setting.default is not None:
            assert setting.check(setting.default) is None, setting.name


def test_waits_of_the_money_path_default_to_the_contracts() -> None:
    settings, waits = Settings(), Waits()
    shared = {f.name for f in fields(Waits)} & {s.name for s in SETTINGS}
    assert len(shared) >= 10
    assert {n: getattr(settings, n) for n in shared} == {n: getattr(waits, n) for n in shared}


def test_every_type_is_read_from_text() -> None:
    settings = load(
        {
            "CROUPIER_HOME": "/srv/hub",
            "CROUPIER_PORT": "0",
            "CROUPIER_SKEW_S": "2.5",
            "CROUPIER_LOG_JSON": "Yes",
            "CROUPIER_LADDER_S": "0.1, 0.2,3",
            "CROUPIER_HOLD_S": "1.5",
            "CROUPIER_PUBLIC_URL": "https://hub.example/path",
            "CROUPIER_DEFAULT_MIN_BET": "0.10",
            "CROUPIER_DATABASE_URL": "postgresql://hub:sesame@db/hub",
        }
    )
    assert settings == Settings(
        home=Path("/srv/hub"),
        port=0,
        skew_s=2.5,
        log_json=True,
        ladder_s=(0.1, 0.2, 3.0),
        hold_s=1.5,
        public_url="https://hub.example/path",
        default_min_bet="0.10",
        database_url=Secret("postgresql://hub:sesame@db/hub"),
    )
    assert "sesame" not in repr(settings)
    assert settings.key_path == Path("/srv/hub/key")


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("PORT", "65536", "must be between 0 and 65535"),
        ("PORT", "٣", "must be a whole number"),
        ("PORT", "9" * 10_000, "must be a whole number"),
        ("WORKERS", "0", "must be between 1 and 64"),
        ("SKEW_S", "nan", "must be a number"),
        ("SKEW_S", "1e999", "must be a number"),
        ("SKEW_S", "-1", "must be at least 0"),
        ("HOLD_S", "0", "must be more than 0"),
        ("LOG_JSON", "maybe", "must be 1 or 0 (or true, false, yes, no, on, off)"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
        ("INFO_AT_S", "30,30", "must be seconds that rise, the first more than 0"),
        ("LADDER_S", "1,x", "must be numbers with commas between them"),
        ("LADDER_S", "0,1", "must be seconds, each more than 0"),
        ("DEFAULT_MIN_BET", "1e3", "must be an amount such as 0.01"),
        ("PUBLIC_URL", "ftp://x", "must be a URL that begins with http:// or https://"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(name: str, value: str, what: str) -> None:
    assert problems({f"CROUPIER_{name}": value}) == [f"CROUPIER_{name} {what}"]


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_a_variable_that_is_set_to_nothing_is_not_set(empty: str) -> None:
    """Compose files and charts pass on what nobody set as an empty text."""
    assert load({setting.env: empty for setting in SETTINGS}) == Settings()
    told = {"CROUPIER_CONFIG": empty, "CROUPIER_DATABASE_URL": "postgresql://x/y", "CROUPIER_DATABASE_URL_FILE": empty}
    assert load(told).database_url == Secret("postgresql://x/y")


INJECTED = {
    "CROUPIER_SERVICE_HOST": "10.0.0.7",
    "CROUPIER_SERVICE_PORT": "8080",
    "CROUPIER_SERVICE_PORT_HTTP": "8080",
    "CROUPIER_PORT": "tcp://10.0.0.7:8080",
    "CROUPIER_PORT_8080_TCP": "tcp://10.0.0.7:8080",
    "CROUPIER_PORT_8080_TCP_PROTO": "tcp",
    "CROUPIER_PORT_8080_TCP_PORT": "8080",
    "CROUPIER_PORT_8080_TCP_ADDR": "10.0.0.7",
    "CROUPIER_PORT_53_UDP": "udp://10.0.0.7:53",
    "CROUPIER_DB_SERVICE_HOST": "10.0.0.8",
    "CROUPIER_DB_SERVICE_PORT": "5432",
    "CROUPIER_DB_PORT": "tcp://10.0.0.8:5432",
    "CROUPIER_DB_PORT_5432_TCP_ADDR": "10.0.0.8",
}


def test_what_kubernetes_injects_for_a_service_of_that_name_is_passed_over() -> None:
    assert load(INJECTED) == Settings()
    assert load({**INJECTED, "CROUPIER_PORT": "9000"}).port == 9000


@pytest.mark.parametrize("name", ["CROUPIER_DB_PORT", "CROUPIER_SERVICE", "CROUPIER_PORT_8080", "CROUPIER_HOST_PORT_X"])
def test_what_only_resembles_it_is_a_mistake(name: str) -> None:
    assert len(problems({name: "5432"})) == 1


def test_everything_wrong_is_said_at_once() -> None:
    told = problems(
        {"CROUPIER_PORT": "x", "CROUPIER_PROT": "1", "CROUPIER_WORKERS": "-1", "CROUPIER_CONFIG": "/nowhere.toml"}
    )
    assert sorted(told) == [
        "CROUPIER_CONFIG names /nowhere.toml, which cannot be read: there is no such file or directory; check the path",
        "CROUPIER_PORT must be a whole number",
        "CROUPIER_PROT is unknown: did you mean CROUPIER_PORT?",
        "CROUPIER_WORKERS must be between 1 and 64",
    ]


def test_what_resembles_nothing_gets_no_guess() -> None:
    assert problems({"CROUPIER_ZZZZZZ": "1"}) == ["CROUPIER_ZZZZZZ is unknown"]


def test_settings_are_checked_against_each_other() -> None:
    both = {"CROUPIER_DEFAULT_MIN_BET": "5", "CROUPIER_DEFAULT_MAX_BET": "4.99"}
    assert problems(both) == ["CROUPIER_DEFAULT_MIN_BET is more than CROUPIER_DEFAULT_MAX_BET"]


def test_a_toml_file_holds_the_same_keys_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "croupier.toml"
    file.write_text('port = 9000\nlog_json = true\nladder_s = [1, 2.5]\nCROUPIER_ISSUER = "hub"\nhome = "/a"\n')
    settings = load({"CROUPIER_CONFIG": str(file), "CROUPIER_HOME": "/b"})
    assert settings == Settings(port=9000, log_json=True, ladder_s=(1.0, 2.5), issuer="hub", home=Path("/b"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("prt = 1", "prt in {} is unknown: did you mean port?"),
        ("PORT = 1", "PORT in {} is unknown"),
        ('port = "x"', "port in {} must be a whole number"),
        ("port = true", "port in {} must be a whole number"),
        ("port = 1.5", "port in {} must be a whole number"),
        ("issuer = 5", "issuer in {} must be a text that is not empty"),
        ("[table]\nx = 1", "table in {} is unknown"),
        (
            "port =",
            "CROUPIER_CONFIG names {}, which cannot be read: it is no TOML (at end of document); write lines such as port = 8080",
        ),
        (
            "\nport = [x",
            "CROUPIER_CONFIG names {}, which cannot be read: it is no TOML (at line 2, column 9); write lines such as port = 8080",
        ),
        ('database_url = "mysql://hub:sesame@db"', "database_url in {} must begin with postgresql://"),
        (
            "port = " + "9" * 10_000,
            "CROUPIER_CONFIG names {}, which cannot be read: a number in it is too long, or a date impossible; correct it",
        ),
    ],
)
def test_a_wrong_file_is_told_apart_from_a_wrong_variable(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "croupier.toml"
    file.write_text(text)
    assert problems({"CROUPIER_CONFIG": str(file)}) == [what.format(file)]


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://hub:sesame@db/hub\n")
    file.chmod(0o640)
    wanted = Secret("postgresql://hub:sesame@db/hub")
    assert load({"CROUPIER_DATABASE_URL_FILE": str(file)}).database_url == wanted
    config = tmp_path / "croupier.toml"
    config.write_text(f'database_url_file = "{file}"')
    assert load({"CROUPIER_CONFIG": str(config)}).database_url == wanted


def test_two_places_for_one_secret_are_one_too_many_and_only_secrets_have_files(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://db")
    file.chmod(0o600)
    both = {"CROUPIER_DATABASE_URL": "postgresql://db", "CROUPIER_DATABASE_URL_FILE": str(file)}
    assert problems(both) == ["CROUPIER_DATABASE_URL_FILE and CROUPIER_DATABASE_URL are both set: keep one"]
    assert problems({"CROUPIER_PORT_FILE": str(file)})[0].startswith("CROUPIER_PORT_FILE is unknown")
    gone = problems({"CROUPIER_DATABASE_URL_FILE": "/nowhere"})
    assert gone == [
        "CROUPIER_DATABASE_URL_FILE names /nowhere, which cannot be read: there is no such file or directory; check the path"
    ]


def test_no_problem_shows_a_secrets_value() -> None:
    assert "sesame" not in str(BadSettings(problems({"CROUPIER_DATABASE_URLS": "postgresql://x:sesame@y"})))


def test_a_secret_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://hub:sesame@db/hub")
    file.chmod(0o644)
    (problem,) = problems({"CROUPIER_DATABASE_URL_FILE": str(file)})
    assert problem == (
        f"CROUPIER_DATABASE_URL_FILE names {file}, which everybody on this machine may read: run `chmod 640 {file}` (or 600), "
        "and change the secret if they did"
    )
    redis = tmp_path / "redis"
    redis.write_text("redis://:sesame@db/0")
    redis.chmod(0o640)
    assert load({"CROUPIER_FEED_REDIS_URL_FILE": str(redis)}).feed_redis_url == Secret("redis://:sesame@db/0")


def test_a_command_may_print_a_secret(tmp_path: Path) -> None:
    """A vault's client, run without a shell: its words are quoted as in one."""
    words = f"{sys.executable} -c \"print('postgresql://hub:sesame@db/hub')\""
    wanted = Secret("postgresql://hub:sesame@db/hub")
    assert load({"CROUPIER_DATABASE_URL_COMMAND": words}).database_url == wanted
    config = tmp_path / "croupier.toml"
    config.write_text(f"database_url_command = '''{words}'''")
    assert load({"CROUPIER_CONFIG": str(config)}).database_url == wanted


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "import sys; print('sesame'); sys.exit('sesame')",
            "a command that failed with exit code 1: run it by hand to see why",
        ),
        ("import time; time.sleep(60)", "a command that did not end within 0.2 s"),
        (
            "import sys; sys.stdout.buffer.write(bytes([255]))",
            "a command that cannot be run: it is no text in UTF-8; save it as UTF-8",
        ),
    ],
)
def test_a_command_without_a_secret_is_told_and_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    if "sleep" in code:
        monkeypatch.setattr("croupier.kit.config.COMMAND_S", 0.2)
    told = problems({"CROUPIER_DATABASE_URL_COMMAND": shlex.join([sys.executable, "-c", code])})
    assert told == [f"CROUPIER_DATABASE_URL_COMMAND names {says}"]


def test_a_command_that_cannot_be_run_is_told() -> None:
    for command, says in (
        ("/nowhere/vault read", "there is no such file or directory; check the path"),
        ("'unfinished", "its quotes are not closed"),
    ):
        told = problems({"CROUPIER_DATABASE_URL_COMMAND": command})
        assert told == [f"CROUPIER_DATABASE_URL_COMMAND names a command that cannot be run: {says}"]


def test_a_secret_comes_from_one_place_and_only_secrets_have_commands(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://db")
    file.chmod(0o600)
    command = f"cat {file}"
    told = {"CROUPIER_DATABASE_URL_COMMAND": command, "CROUPIER_DATABASE_URL": "postgresql://db"}
    assert problems(told) == ["CROUPIER_DATABASE_URL_COMMAND and CROUPIER_DATABASE_URL are both set: keep one"]
    told = {"CROUPIER_DATABASE_URL_COMMAND": command, "CROUPIER_DATABASE_URL_FILE": str(file)}
    assert problems(told) == ["CROUPIER_DATABASE_URL_FILE and CROUPIER_DATABASE_URL_COMMAND are both set: keep one"]
    assert problems({"CROUPIER_PORT_COMMAND": "echo 1"})[0].startswith("CROUPIER_PORT_COMMAND is unknown")
