"""An example of each command, shown at the end of its help.

Owns: the examples; a test parses each. Never: the commands. Names in them are those of docs/OPERATIONS.md. Spec: operate.md 2.
"""

from __future__ import annotations

import shlex
from typing import Any, Final

_WHY: Final = "--reason 'agreed with Aurora, ticket 88'"
EXAMPLES: Final[dict[str, str]] = {
    "serve": "--port 8080 --workers 2",
    "demo": "--stay",
    "sandbox casino": "--hub http://127.0.0.1:8080 --currency EUR --join",
    "sandbox site": "--hub http://127.0.0.1:8080 --currency EUR --join",
    "sandbox studio": "--hub http://127.0.0.1:8080 --draws",
    "migrate": "",
    "backup": "--to /srv/backups --keep 14",
    "restore": "/srv/backups/croupier-20251101T030000Z.age",
    "archive": "--before 2020-11-01 --to /srv/archive",
    "prune": "/srv/archive/croupier-archive-20151101-0001.jsonl.gz --reason 'ten years are over' --dry-run",
    "verify-archive": "/srv/archive/croupier-archive-20201101-0001.jsonl.gz",
    "doctor": "",
    "openapi": "--json > openapi.json",
    "asyncapi": "--json > asyncapi.json",
    "casino add": "Aurora --url https://wallet.aurora.example --currency EUR,SEK --secret-file aurora.json",
    "casino list": "",
    "casino show": "Aurora",
    "casino set": "Aurora in_flight=200 batch=50",
    "casino disable": "Aurora",
    "casino enable": "Aurora",
    "casino close": "Aurora",
    "casino open": "Aurora",
    "casino keys list": "",
    "casino keys rotate": "Aurora --alg ES256",
    "casino keys revoke": "k-2025-10 --reason 'it was in a log'",
    "casino keys retire": "k-2025-10",
    "casino keys reseal": "",
    "casino secret rotate": "Aurora --keep-old 86400 --secret-file aurora.json",
    "keys list": "",
    "keys rotate": "--alg ES256",
    "keys revoke": "k-2025-10 --reason 'it was in a log'",
    "keys retire": "k-2025-10",
    "keys reseal": "",
    "secrets renew": "--yes --reason 'the key file is lost'",
    "provider add": "Fable --url https://api.fable.example --secret-file fable.json",
    "provider list": "",
    "provider show": "Fable",
    "provider set": "Fable hold_s=25",
    "provider disable": "Fable",
    "provider enable": "Fable",
    "provider close": "Fable",
    "provider open": "Fable",
    "provider sync": "Fable",
    "provider secret rotate": "Fable --keep-old 86400 --secret-file fable.json",
    "game list": "--provider Fable",
    "game set": "fable/lantern min_bet=0.10 max_bet=50.00",
    "game switch": "fable/lantern --casino Aurora --country DE --off --reason 'not licensed there'",
    "game describe": "fable/lantern --language de --name Laterne",
    "game diff": "7",
    "game apply": "7",
    "game undo": "7",
    "game-type list": "",
    "game-type set": "23 --maintenance",
    "player list": "--casino Aurora --blocked",
    "player show": "--casino Aurora --player anna",
    "player block": "--casino Aurora --player anna --reason 'asked for it'",
    "player unblock": "--casino Aurora --player anna --reason 'the pause is over'",
    "session open": "--casino Aurora --player anna --currency EUR --token T-1 --game fable/lantern",
    "session list": "--casino Aurora --player anna --from 2025-11-01",
    "jackpot add": "'Golden Lantern' --currency EUR --share-bp 50 --seed 100.00 --ceiling 5000.00 --only casino=1",
    "jackpot list": "",
    "jackpot show": "'Golden Lantern' --rounds 5",
    "jackpot set": "'Golden Lantern' share_bp=40",
    "jackpot freeze": "'Golden Lantern'",
    "jackpot unfreeze": "'Golden Lantern'",
    "jackpot verify": "'Golden Lantern' --round 3",
    "cashback pay": "--casino Aurora --player anna --amount 12.50 --currency EUR --ref week-44-anna",
    "cashback cancel": "4711",
    "account add": "mia --role decide --casino Aurora --secret-file mia.json",
    "account list": "",
    "account close": "mia",
    "account token": "mia --secret-file mia.json",
    "account uses": "--name mia --limit 20",
    "proposal list": "--all",
    "proposal approve": "7",
    "proposal refuse": "7 --reason 'the casino has it'",
    "trace": "fable:b-20251101-17",
    "why": "fable/lantern --casino Aurora --country DE",
    "audit": "--trail",
    "reconcile": "--casino Aurora --day 2025-11-01",
    "reconcile list": "--casino Aurora",
    "reconcile close": f"12 13 {_WHY}",
    "recover begin": "--since 2025-11-01T03:00:00 --reason 'restored the backup of 03:00'",
    "recover status": "",
    "recover end": "--reason 'all findings are settled'",
    "verify-draw": "proof.json",
    "feed watch": "23 --credentials aurora.json",
    "simulate": "--seed 7 --payments 1000",
    "bench": "--in-flight 1,64 --mode rounds --seconds 10",
    "ggr": "--from 2025-11-01 --to 2025-12-01 --by game --xlsx november.xlsx",
    "incidents": "--open-for 3600",
    "incidents close": f"--name not_accepted --casino Aurora {_WHY}",
    "notify list": "",
    "notify test": "on-call",
    "notify set": "on-call --on",
    "notify remove": "on-call",
    "notify add webhook": "on-call --url https://alerts.aurora.example/hub",
    "notify add mail": "night --server smtps://mail.aurora.example --from hub@aurora.example --to night@aurora.example",
    "payment list": "--casino Aurora --state parked",
    "payment retry": f"4711:payout {_WHY}",
    "payment accept": f"4711:payout {_WHY}",
    "payment give-up": f"4711:payout {_WHY}",
    "bet list": "--casino Aurora --player anna --currency EUR --at-least 100.00",
    "bet return": f"4711 {_WHY}",
    "bet settle": f"4711 --win 12.50 {_WHY}",
}
"""The words after each command."""


def words_of(path: str) -> list[str]:
    """Return the words of an example, without what a shell does with the output."""
    words = shlex.split(EXAMPLES[path])
    return words[: words.index(">")] if ">" in words else words


def show_examples(command: Any, path: str) -> None:  # noqa: ANN401 - typer names no type
    """Put the example into the help of this command, and of each below it."""
    if path in EXAMPLES:
        command.epilog = f"Example: croupier {path} {EXAMPLES[path]}".rstrip()
    for name, below in getattr(command, "commands", {}).items():
        show_examples(below, f"{path} {name}")
