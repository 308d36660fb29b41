"""A command against a running hub, over its admin API (CROUPIER_HUB_URL).

Owns: the one call, and the errors that the hub answers with. Never: a command's work. Spec: operate.md 2, decision 0102.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from croupier.admin_api.command import ROOT, Command
from croupier.admin_api.errors import CommandError
from croupier.cli.signed_in import token_of
from croupier.kit.config import Settings
from croupier.kit.http import HttpWire
from croupier.kit.wire import PeerError, WireAnswer, WireRequest

ANSWER_S: Final = 70.0
MOST_BYTES: Final = 64 * 2**20


class HubRefused(CommandError):
    """The hub answered with a problem. `code` is the code of the error there."""

    def __init__(self, code: str, text: str, field: str | None) -> None:
        super().__init__(text)
        self.code = code
        self.field = field


class HubAway(CommandError):
    """The hub did not answer. A command that changes something may have been carried out."""


def ask_over_http(loaded: Settings, asked: Command[Any, Any], params: msgspec.Struct) -> Any:  # noqa: ANN401 - the command's result
    """Return the command's result. Raises HubRefused, HubAway, CommandError."""
    assert loaded.hub_url is not None
    base = loaded.hub_url.rstrip("/")
    _check_base(base, loaded)
    answer = asyncio.run(_exchange(_request(base, asked, params, token=token_of(loaded)), asked))
    if answer.status != 200:
        raise _refused(base, answer)
    try:
        return msgspec.json.decode(answer.body, type=asked.result)
    except msgspec.DecodeError as wrong:
        raise CommandError(
            f"{base} answers as no hub of this version does ({wrong}): use the `croupier` of the hub"
        ) from None


async def _exchange(request: WireRequest, asked: Command[Any, Any]) -> WireAnswer:
    wire = HttpWire(allow_private=True)
    try:
        return await wire.send(request)
    except PeerError as error:
        done = "" if asked.reads or not error.sent else " It may have been done: look before you repeat it."
        raise HubAway(f"the hub at CROUPIER_HUB_URL did not answer ({error}): see that it runs.{done}") from error
    finally:
        await wire.close()


def _request(base: str, asked: Command[Any, Any], params: msgspec.Struct, *, token: str) -> WireRequest:
    given: dict[str, Any] = {
        one.encode_name: msgspec.to_builtins(getattr(params, one.name))
        for one in msgspec.structs.fields(params)
        if getattr(params, one.name) != one.default
    }
    path = asked.path.format(**{name: quote(str(given.pop(name)), safe="") for name in asked.in_path})
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{base}{ROOT}/{path}"
    limits: dict[str, Any] = {"total_s": ANSWER_S, "max_bytes": MOST_BYTES}
    if asked.reads:
        told = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
        return WireRequest("GET", url + (f"?{urlencode(told)}" if told else ""), headers, **limits)
    headers["Content-Type"] = "application/json"
    return WireRequest("POST", url, headers, msgspec.json.encode(given), **limits)


def _check_base(base: str, loaded: Settings) -> None:
    """Raise CommandError where the token would travel in clear text to another machine."""
    parts = urlsplit(base)
    if parts.scheme == "https" or loaded.allow_private_peers or _is_loopback(parts.hostname or ""):
        return
    raise CommandError("CROUPIER_HUB_URL must begin with https://: anybody on the way could read your token")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(base: str, answer: WireAnswer) -> CommandError:
    try:
        told = msgspec.json.decode(answer.body, type=dict[str, Any])
        return HubRefused(str(told["code"]), str(told["detail"]), told.get("field"))
    except (msgspec.DecodeError, KeyError):
        return CommandError(
            f"{base} answered {answer.status} and is no hub, or a proxy before it lets nobody to {ROOT}: see CROUPIER_HUB_URL"
        )
