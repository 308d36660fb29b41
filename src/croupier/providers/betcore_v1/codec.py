"""Decoder of betcore_v1 requests into commands, and encoder of answers into bytes.

Owns: the form of each field, and the exact bytes that the hub writes. Never: I/O, signatures, or whether a session,
a bet or an amount is acceptable. Readers raise `BadJson` (unreadable body) or `BadField` (which names the field).
Spec: provider.md 2 to 4, money.md 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from croupier.core import money
from croupier.core.commands import Answer, Catalogue, GameListing, LaunchOrder, PayIn, PayOut, Refund
from croupier.core.refusals import Refusal
from croupier.kit import names, plain_json, strictjson
from croupier.kit.strictjson import BadField, BadJson, Json, NumberText, Record
from croupier.providers.betcore_v1 import outcomes
from croupier.providers.betcore_v1.messages import (
    MAX_GAMES,
    MAX_LIST_BYTES,
    MAX_URL_CHARS,
    LaunchBody,
    PlainStake,
    PlainWin,
    WalletAnswer,
)
from croupier.providers.betcore_v1.outcomes import RequestFault

CHARS_PER_STEP = 16_384
"""Characters of a games list that are read in one step of the event loop: a few milliseconds."""
ELEMENT_COST_CHARS = 64
"""Cost of an element in characters, in addition to its length."""

_STAKE = msgspec.json.Decoder(PlainStake)
_WIN = msgspec.json.Decoder(PlainWin)
_NO_HEADERS: Mapping[str, str] = {}
_WHOLE_NUMBER = re.compile(r"[0-9]{1,32}")
_ODD = re.compile(r"[0-9]{1,18}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_URL_CHARS = re.compile(r"[!#-;=?-\[\]-~]+")
"""Printable ASCII without space, double quote, angle brackets and backslash."""


class ProviderReply(NamedTuple):
    """One answer, ready to be sent. `headers` are those beside the ones of every JSON answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


# --- requests of the provider -------------------------------------------------------------------------------------


def read_session_id(path_part: str) -> str:
    """Return the session id of a path, as text that is safe to look up. Raises BadField."""
    return _read_ref({"sessionId": path_part}, "sessionId")


def read_pay_in(provider_id: int, session_id: str, body: bytes, *, arrived_s: float | None = None) -> PayIn:
    """Read a `POST bets/pay-in`."""
    plain = _plain_call(_STAKE, session_id, body)
    if plain is not None:
        return PayIn(provider_id, session_id, *plain, arrived_s=arrived_s)
    obj = _bet_body(session_id, body)
    return PayIn(
        provider_id,
        session_id,
        _read_ref(obj, "betId"),
        _read_ref(obj, "gameRoundId"),
        _read_amount(obj, "betAmount"),
        arrived_s=arrived_s,
    )


def read_pay_in_out(provider_id: int, session_id: str, body: bytes, *, arrived_s: float | None = None) -> PayIn:
    """Read a `POST bets/pay-in-out`: a pay-in with its win."""
    obj = _bet_body(session_id, body)
    return PayIn(
        provider_id,
        session_id,
        _read_ref(obj, "betId"),
        _read_ref(obj, "gameRoundId"),
        _read_amount(obj, "betAmount"),
        win=_read_amount(obj, "winAmount"),
        win_odd=_read_optional(_read_odd, obj, "winOdd"),
        arrived_s=arrived_s,
    )


def read_pay_out(provider_id: int, session_id: str, body: bytes, *, arrived_s: float | None = None) -> PayOut:
    """Read a `POST bets/pay-out`."""
    plain = _plain_call(_WIN, session_id, body)
    if plain is not None:
        return PayOut(provider_id, session_id, *plain, arrived_s=arrived_s)
    obj = _bet_body(session_id, body)
    return PayOut(
        provider_id,
        session_id,
        _read_ref(obj, "betId"),
        _read_ref(obj, "gameRoundId"),
        _read_amount(obj, "winAmount"),
        win_odd=_read_optional(_read_odd, obj, "winOdd"),
        arrived_s=arrived_s,
    )


def read_refund(provider_id: int, session_id: str, body: bytes, *, arrived_s: float | None = None) -> Refund:
    """Read a `POST bets/refund`."""
    return Refund(provider_id, session_id, _read_ref(_bet_body(session_id, body), "betId"), arrived_s)


def _plain_call(decoder: msgspec.json.Decoder[Any], session_id: str, body: bytes) -> tuple[str, str, str] | None:
    """Return betId, gameRoundId and amount of a plain body in which nothing is wrong; None for any other."""
    told: PlainStake | PlainWin | None = plain_json.decoded(decoder, body)
    if told is None:
        return None
    members, amount = 3, plain_json.amount(told.amount)
    if told.session_id is not msgspec.UNSET:
        members = 4
        if told.session_id != session_id or not names.plain(session_id):
            return None
    sound = names.plain(told.bet_id) and names.plain(told.game_round_id) and money.is_amount(amount)
    return (told.bet_id, told.game_round_id, amount) if sound and plain_json.has_only(body, members) else None


def _bet_body(session_id: str, body: bytes) -> Record:
    """Return the body as an object. Raises BadField if its sessionId differs from the path's."""
    obj = strictjson.record(strictjson.loads(body))
    if obj.get("sessionId") is not None and _read_ref(obj, "sessionId") != session_id:
        raise BadField("sessionId", "differs from the session in the path")
    return obj


# --- single fields ----------------------------------------------------------------------------------------------


def _read_ref(obj: Record, name: str) -> str:
    """Read an id of the provider: a name of 1 to 128 characters that cannot be mistaken for another one (kit.names)."""
    value = obj.get(name)
    if type(value) is str and names.plain(value):
        return value
    value = strictjson.text(obj, name)
    problem = names.problem_of(value)
    if problem is not None:
        raise BadField(name, problem)
    return value


def _read_ref_or_number(obj: Record, name: str) -> str:
    """Read an id that may also be a whole number. 17 and "17" are the same id."""
    value = obj.get(name)
    if isinstance(value, NumberText) and _WHOLE_NUMBER.fullmatch(value):
        return str(value)
    return _read_ref(obj, name)


def _read_amount(obj: Record, name: str) -> str:
    """Read an amount as text. Its currency is checked later."""
    value = strictjson.amount_text(obj, name)
    if not money.is_amount(value):
        raise BadField(name, money.GRAMMAR_TEXT)
    return value


def _read_odd(obj: Record, name: str) -> str:
    """Read a multiplier as written. It decides nothing, so any number of decimals is accepted."""
    value = strictjson.amount_text(obj, name)
    if not _ODD.fullmatch(value):
        raise BadField(name, "must be a number that is not negative")
    return value


def _read_optional(read: Callable[[Record, str], str], obj: Record, name: str) -> str | None:
    """Read a field that decides nothing. An unreadable one is treated as absent, so that it never costs a win or a game."""
    try:
        return strictjson.optional(read, obj, name)
    except BadField:
        return None


def read_bet_ref(body: bytes) -> str | None:
    """Return the betId of a refused body, or None if it cannot be read."""
    try:
        return _read_ref(strictjson.record(strictjson.loads(body)), "betId")
    except (BadJson, BadField):
        return None


def _is_url(value: str, schemes: frozenset[str]) -> bool:
    """Return whether this is an absolute URL that is safe for a browser."""
    if len(value) > MAX_URL_CHARS or not _URL_CHARS.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


# --- answers of the hub ---------------------------------------------------------------------------------------


def encode(answer: Answer) -> ProviderReply:
    """Encode a flow's answer. It states balance and currency whenever they are known, also with a refusal."""
    outcome = outcomes.wire_outcome(answer.refusal)
    wire = WalletAnswer(response_code=outcome.code)
    if answer.currency is not None:
        wire.currency = answer.currency
        if answer.balance is not None:
            wire.balance = msgspec.Raw(money.format_amount(answer.balance, answer.currency).encode())
    if answer.refusal in (Refusal.WRONG_DATA, Refusal.CONFLICT) and answer.field is not None:
        wire.field = answer.field
        wire.message = f"{answer.field} {answer.why}"
    return _reply(wire, outcome.status, answer.retry_after_s)


def encode_bad_request(problem: BadJson | BadField) -> ProviderReply:
    """Encode the refusal of an unreadable body, with the reason and the name of the wrong field."""
    if isinstance(problem, BadJson) and problem.too_large:
        return encode_fault(RequestFault.TOO_LARGE)
    outcome = outcomes.REFUSALS[Refusal.WRONG_DATA]
    wire = WalletAnswer(response_code=outcome.code, message=f"the body cannot be read: {problem.why}")
    if isinstance(problem, BadField):
        wire.field, wire.message = problem.field, f"{problem.field} {problem.why}"
    return _reply(wire, outcome.status)


def encode_fault(fault: RequestFault) -> ProviderReply:
    """Encode the refusal of a request whose body was not read."""
    outcome = outcomes.FAULTS[fault]
    return _reply(WalletAnswer(response_code=outcome.code, message=outcomes.FAULT_TEXTS[fault]), outcome.status)


def _reply(wire: WalletAnswer, status: int, retry_after_s: int | None = None) -> ProviderReply:
    headers = _NO_HEADERS
    if status in outcomes.NOT_TAKEN_STATUSES:
        headers = {"Retry-After": str(outcomes.RETRY_AFTER_S if retry_after_s is None else retry_after_s)}
    return ProviderReply(status, msgspec.json.encode(wire), headers)


# --- calls to a provider, and its answers -------------------------------------------------------


def encode_launch(order: LaunchOrder) -> bytes:
    """Return the launch body: compact JSON with sorted keys and amounts as JSON numbers."""
    body = LaunchBody(
        user_id=order.user_ref,
        session_id=order.session_id,
        currency=order.currency,
        language=order.language,
        min_bet=_number(order.min_bet),
        max_bet=_number(order.max_bet),
        game_mode="demo" if order.demo else "real",
        view_type="mobile" if order.mobile else "desktop",
        button_amounts=[_number(amount) for amount in order.button_amounts] or msgspec.UNSET,
        game_margin=_optional_number(order.game_margin),
        max_odd=_optional_number(order.max_odd),
        max_win=_optional_number(order.max_win),
    )
    return msgspec.json.encode(body, order="sorted")


def _number(text: str) -> msgspec.Raw:
    """Return decimal text as a JSON number. Raises ValueError for a setting that should not have been saved."""
    if not money.is_amount(text):
        raise ValueError(f"{text[:40]!r} cannot be sent as a number")
    whole, point, decimals = text.partition(".")
    return msgspec.Raw(f"{whole.lstrip('0') or '0'}{point}{decimals}".encode())


def _optional_number(text: str | None) -> msgspec.Raw | msgspec.UnsetType:
    return msgspec.UNSET if text is None else _number(text)


def read_response_code(body: bytes) -> str | None:
    """Return the `_responseCode` of an answer as written, or None if it has none."""
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        document = strictjson.loads(body)
    except BadJson:
        return None
    code = document.get("_responseCode") if isinstance(document, dict) else None
    return str(code) if isinstance(code, NumberText) else None


class GamesList:
    """The array of games, read in steps. An unreadable element is skipped.

    A list may be long, and other requests of this process must not wait for all of it.
    """

    def __init__(self, body: bytes) -> None:
        self._elements = strictjson.elements(body, max_bytes=MAX_LIST_BYTES, max_items=MAX_GAMES)
        self._games: dict[str, GameListing] = {}
        self._skipped: list[str] = []

    def read_on(self) -> bool:
        """Read the next part. Return False when all is read. Raises BadJson."""
        taken = 0
        for element, length in self._elements:
            self._take(element)
            taken += length + ELEMENT_COST_CHARS
            if taken >= CHARS_PER_STEP:
                return True
        return False

    def _take(self, element: Json) -> None:
        try:
            game = _read_game(strictjson.record(element, "element"), self._games)
        except BadField as problem:
            self._skipped.append(f"element {len(self._games) + len(self._skipped)}: {problem}")
        else:
            self._games[game.game_ref] = game

    def catalogue(self) -> Catalogue:
        """Return the games that were read. Raises BadJson if there were games and none was readable."""
        if self._skipped and not self._games:
            raise BadJson(f"an array without one readable game ({self._skipped[0]})")
        return Catalogue(tuple(self._games.values()), tuple(self._skipped))


def _read_game(obj: Record, known: Container[str]) -> GameListing:
    """Read one element. Its id must not be among `known`, and must be usable in a path. Raises BadField."""
    game_ref = _read_ref_or_number(obj, "gameId")
    if game_ref in known:
        raise BadField("gameId", "is listed twice")
    if game_ref in {".", ".."}:
        raise BadField("gameId", "must not be a relative path")
    return GameListing(
        game_ref,
        _read_display_text(obj, "name", 256),
        _read_display_text(obj, "gameCategory", 64),
        max_odd=_read_optional(_read_odd, obj, "maxOdd"),
        image_url=_read_image_url(obj),
    )


def _read_display_text(obj: Record, name: str, max_len: int) -> str:
    """Read display text: any script and any white space, but no control character."""
    value = strictjson.text(obj, name, max_len)
    if _CONTROL.search(value):
        raise BadField(name, "must not hold control characters")
    return value


def _read_image_url(obj: Record) -> str | None:
    """Read the optional picture. A value that is not a web address is ignored."""
    value = obj.get("lobbyImgUrl")
    return value if isinstance(value, str) and _is_url(value, frozenset({"https", "http"})) else None


def read_frame_uri(body: bytes, *, allow_http: bool) -> str:
    """Return the frame's address from a launch answer. Plain http is accepted only with `allow_http`."""
    obj = strictjson.record(strictjson.loads(body))
    value = strictjson.text(obj, "frameUri", MAX_URL_CHARS)
    if not _is_url(value, frozenset({"https", "http"} if allow_http else {"https"})):
        raise BadField("frameUri", "must be an http or https URL" if allow_http else "must be an https URL")
    return value
