"""Every setting of the program in one table: name, type, default, meaning, check.

Owns: the table. Never: reading it from anywhere (config), nor what a setting does. Spec: operate.md 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

PREFIX = "CROUPIER_"
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,8})?", re.ASCII)
_DATABASE = re.compile(r"postgres(ql)?://.*", re.DOTALL)
_REDIS = re.compile(r"(?:rediss?|unix)://.*", re.DOTALL)
_URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*", re.ASCII)

NO_PROXY = "none"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that shows itself only when asked."""

    value: str

    def __repr__(self) -> str:
        """Not the value."""
        return "Secret(...)"


ValueCheck = Callable[[Any], str | None]
"""Says what is wrong with a value of the right type, or None."""


def _at_least(least: float) -> ValueCheck:
    return lambda value: None if value >= least else f"must be at least {least:g}"


def _between(least: float, most: float) -> ValueCheck:
    return lambda value: None if least <= value <= most else f"must be between {least:g} and {most:g}"


def _one_of(*words: str) -> ValueCheck:
    return lambda value: None if value in words else f"must be one of {', '.join(words)}"


def _matches(pattern: re.Pattern[str], what: str) -> ValueCheck:
    return lambda value: None if pattern.fullmatch(value) else f"must be {what}"


def _are_networks(value: str) -> str | None:
    if value == NO_PROXY:
        return None
    for part in filter(None, (part.strip() for part in value.split(","))):
        try:
            ip_network(part)
        except ValueError:
            return f"must be {NO_PROXY}, or addresses or networks such as 10.0.0.0/8, and {part} is neither"
    return None


def _is_postgres(value: Secret) -> str | None:
    return None if _DATABASE.fullmatch(value.value) else "must begin with postgresql://"


def _is_redis(value: Secret) -> str | None:
    return None if _REDIS.fullmatch(value.value) else "must begin with redis://, rediss:// or unix://"


def _positive(value: float) -> str | None:
    return None if value > 0 else "must be more than 0"


def _waits(values: tuple[float, ...]) -> str | None:
    return None if values and min(values) > 0 else "must be seconds, each more than 0"


def _moments(values: tuple[float, ...]) -> str | None:
    rising = all(earlier < later for earlier, later in pairwise(values))
    return None if rising and values and values[0] > 0 else "must be seconds that rise, the first more than 0"


def setting(default: T, text: str, check: ValueCheck | None = None) -> T:
    """Return a dataclass field with the meaning and the check of a setting."""
    return field(default=default, metadata={"help": text, "check": check})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the program. `_s` are seconds, `_ms` milliseconds."""

    # Where things lie
    home: Path = setting(Path(".croupier"), "Directory of what croupier keeps: its key and, by default, its database")
    database_url: Secret | None = setting(
        None,
        "PostgreSQL to use, as postgresql://user:password@host/database; without it croupier runs its own",
        _is_postgres,
    )
    key_file: Path | None = setting(None, "File of the key that seals secrets; `key` in the home by default")

    trail_dir: Path | None = setting(
        None, "Directory of the signed checkpoints of the audit trail; `trail` in the home by default"
    )

    backup_key_file: Path | None = setting(
        None, "File of the key that opens backups; `backup.key` in the home by default"
    )

    # Serving
    host: str = setting("127.0.0.1", "Address to listen on")
    port: int = setting(8080, "Port to listen on; 0 takes a free one", _between(0, 65535))
    workers: int = setting(1, "Processes that serve", _between(1, 64))
    migrate_on_serve: bool | None = setting(
        None,
        "Whether `serve` may change a database's schema; by default it sets up an empty one, and upgrades the embedded one",
    )
    trusted_proxies: str = setting(
        "127.0.0.1,::1",
        "Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas, or `none`",
        _are_networks,
    )
    public_url: str | None = setting(
        None,
        "Address under which casinos, providers and players reach the hub; host and port by default",
        _matches(_URL, "a URL that begins with http:// or https://"),
    )
    issuer: str = setting("croupier", "Issuer (`iss`) of the tokens that the hub signs")
    allow_private_peers: bool = setting(
        default=False,
        text="Let casinos and providers have private and loopback addresses and plain http: for demos and tests",
    )

    # Persons
    four_eyes: bool = setting(
        default=False,
        text="Decisions of a person that move money wait until a second person approves them: both need an account",
    )
    token: Secret | None = setting(None, "Token of the account of the person who runs a command")
    hub_url: str | None = setting(
        None,
        "Base URL of a running hub: commands work there over its admin API, with the token of `CROUPIER_TOKEN`",
        _matches(_URL, "an http:// or https:// URL without a query"),
    )
    admin_from: str = setting(
        "127.0.0.1,::1",
        "Addresses or networks, separated by commas, from which the admin API may be used, or `none`",
        _are_networks,
    )
    admin_per_s: int = setting(
        20, "Requests a second that a worker takes from one account over the admin API", _between(1, 10_000)
    )

    # Documentation
    docs: bool = setting(default=True, text="Serve the API reference and the guides at /docs")
    docs_try: bool = setting(
        default=False,
        text="Let the reference call this hub from the browser: for sandboxes; needs CROUPIER_ALLOW_PRIVATE_PEERS",
    )

    # Telling
    log_level: str = setting("info", "Least important log line to write", _one_of("debug", "info", "warning", "error"))
    log_json: bool = setting(default=False, text="Write log lines as JSON")
    otel_endpoint: str | None = setting(
        None,
        "OpenTelemetry collector that gets traces over OTLP/HTTP, such as http://127.0.0.1:4318; needs the extra `otel`",
        _matches(_URL, "a URL that begins with http:// or https://"),
    )
    otel_share_bp: int = setting(
        10_000,
        "Share of traces that is recorded where no provider has decided it, in hundredths of a percent",
        _between(0, 10_000),
    )

    # Resources
    db_pool: int = setting(10, "Database connections per worker, besides those of the group commit", _between(1, 100))
    db_lines: int = setting(2, "Database connections per worker that carry group commits", _between(1, 8))
    db_statement_s: float = setting(2.0, "Longest that a statement of the payment path may take", _between(0.5, 20))
    db_report_s: float = setting(
        60.0, "Longest for a statement of the auditor, a report or a command", _between(1, 3600)
    )
    db_migration_s: float = setting(3600.0, "Longest for a statement of a migration", _between(1, 86_400))
    max_in_flight: int = setting(1000, "Stakes a worker waits for at once; new bets above that get 503", _at_least(1))

    # Live feed
    feed_channel: str = setting(
        "postgres",
        "How snapshots reach all processes: `postgres` (notifications), `redis`, or `process` for a hub with one worker",
        _one_of("postgres", "redis", "process"),
    )
    feed_redis_url: Secret | None = setting(
        None, "Redis of the channel `redis`, as redis://user:password@host:port/0", _is_redis
    )
    feed_process: bool = setting(
        default=True, text="Give the clients of the live feed a process of their own, beside the workers"
    )
    feed_connections: int = setting(10_000, "Clients of the live feed per process that has them", _between(0, 100_000))
    feed_per_casino: int = setting(5000, "Clients of the live feed per process that one casino may have", _at_least(0))
    feed_per_s: int = setting(
        1000, "REST calls of the live feed a second that a worker takes from one casino", _between(1, 100_000)
    )
    feed_subscriptions: int = setting(100, "Game types that one client may subscribe to", _between(1, 10_000))
    feed_keep_days: int = setting(365, "Days for which draws are kept after their end", _between(1, 36_500))

    # Retention
    money_keep_years: int = setting(
        10, "Years for which entries and events stay before `croupier prune` may delete archived ones", _between(5, 100)
    )
    demo_keep_days: int = setting(90, "Days for which demo sessions are kept after their end", _between(1, 36_500))

    # Rate limits
    provider_per_s: int | None = setting(
        None,
        "New bets and balance queries a second that a worker takes from one provider; unlimited by default",
        _between(1, 100_000),
    )
    tokens_per_s: int = setting(
        50, "Access tokens a second that a worker is asked for from one address", _between(1, 100_000)
    )
    failed_auth_per_s: float = setting(
        5.0, "Wrong secrets and signatures a second that a worker judges from one address", _between(0.01, 100_000)
    )

    # Casino API
    api_per_s: int = setting(
        100, "Requests a second that a worker takes from one casino over the casino API", _between(1, 100_000)
    )
    api_address_per_s: int = setting(
        20,
        "Requests a second that a worker takes from one address of a browser over the casino API",
        _between(1, 100_000),
    )

    # Looking after the books
    bind_every_s: float = setting(5.0, "How often what was committed is bound into the audit trail", _positive)
    jackpot_every_s: float = setting(1.0, "How often the pots read what the audit trail has bound since", _positive)
    audit_every_s: float = setting(30.0, "How often the continuous auditor takes its turn", _positive)
    sign_every_s: float = setting(60.0, "How often a checkpoint of the audit trail is signed", _positive)

    # Sessions and limits
    session_hours: float = setting(
        24.0, "Hours a session lives from its launch; payouts and refunds are taken after it too", _positive
    )
    default_min_bet: str = setting(
        "0.01", "Smallest bet where no casino, provider or game says one", _matches(_AMOUNT, "an amount such as 0.01")
    )
    default_max_bet: str = setting(
        "10000", "Largest bet where no casino, provider or game says one", _matches(_AMOUNT, "an amount such as 10000")
    )
    default_large_win: str = setting(
        "100000",
        "From which win on a person is called where no casino, provider or game says one",
        _matches(_AMOUNT, "an amount such as 100000"),
    )
    balance_stale_s: float = setting(5.0, "Age past which a casino is asked for a balance anew", _at_least(0))

    # Waits of the money path
    hold_s: float | None = setting(None, "Hold time for every provider, instead of each one's own", _positive)
    claim_s: float | None = setting(None, "Time to claim an unclaimed stake, instead of each provider's own", _positive)
    skew_s: float = setting(10.0, "How far a casino's clock may be off", _at_least(0))
    poll_ms: int = setting(50, "Period of the look that heals lost wake-ups", _between(1, 10_000))
    info_at_s: tuple[float, ...] = setting(
        (30.0, 45.0, 60.0), "When payments/info is asked about a stake without an outcome", _moments
    )
    late_info_at_s: tuple[float, ...] = setting(
        (120.0, 600.0, 3600.0, 86400.0), "When it is asked once more about a stake that expired", _moments
    )
    accept_wait_s: float = setting(30.0, "Wait for the accept after an acknowledgement of what is owed", _positive)
    ladder_s: tuple[float, ...] = setting(
        (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0), "First waits between tries of what is owed", _waits
    )
    then_every_s: float = setting(300.0, "Wait between tries after the first waits", _positive)
    then_for_s: float = setting(86400.0, "How long that wait is kept", _positive)
    later_every_s: float = setting(3600.0, "Wait between tries after that", _positive)
    park_after_s: float = setting(2_592_000.0, "Age at which what is owed is parked: a person must look", _positive)
    lease_s: float = setting(15.0, "How long a call belongs to the worker that makes it", _positive)
    incident_after: int = setting(5, "Failed tries of what is owed that make an incident", _at_least(1))

    # Reconciliation
    reconcile_sample_bp: int = setting(
        100, "Share of settled bets that is compared with the casinos, in hundredths of a percent", _between(0, 10_000)
    )
    reconcile_per_s: int = setting(10, "Comparisons that a casino is asked for a second, at most", _between(1, 1000))
    reconcile_open_s: int = setting(
        3600, "How long a bet may be open before it is compared, where its game says nothing", _at_least(1)
    )
    recovery_per_s: int = setting(
        50, "Questions that a casino is asked a second while recovery is on, at most", _between(1, 1000)
    )

    @property
    def trusted_addresses(self) -> list[str]:
        """Return the addresses and networks of the trusted proxies."""
        return [] if self.trusted_proxies == NO_PROXY else [part.strip() for part in self.trusted_proxies.split(",")]

    @property
    def admin_networks(self) -> tuple[str, ...]:
        """Return the addresses and networks from which the admin API may be used."""
        return () if self.admin_from == NO_PROXY else tuple(part.strip() for part in self.admin_from.split(","))

    @property
    def trail_path(self) -> Path:
        """Return the directory of the checkpoints of the audit trail."""
        return self.trail_dir or self.home / "trail"

    @property
    def backup_key_path(self) -> Path:
        """Return the path of the key that opens backups."""
        return self.backup_key_file or self.home / "backup.key"

    @property
    def key_path(self) -> Path:
        """Return the path of the sealing key."""
        return self.key_file or self.home / "key"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table. `type` is as in the annotation of `Settings`."""

    name: str
    type: Any
    default: Any
    help: str
    check: ValueCheck | None

    @property
    def env(self) -> str:
        """Return the name of the environment variable."""
        return PREFIX + self.name.upper()

    @property
    def is_secret(self) -> bool:
        """Return whether the setting may also come from a file."""
        return Secret in get_args(self.type)


def _table() -> tuple[Setting, ...]:
    types = get_type_hints(Settings)
    return tuple(
        Setting(f.name, types[f.name], f.default, f.metadata["help"], f.metadata["check"])
        for f in fields(Settings)
        if f.default is not MISSING
    )


SETTINGS = _table()
"""Every setting, in the order of the documentation."""
