"""Wire bytes to commands and answers to wire bytes, for betcore_v1.

Owns: what each field must be, and the exact form of what the hub writes. Never: I/O, signatures, whether a session,
a bet or an amount is acceptable. Readers raise `BadJson` (nothing readable) or `BadField` (which names the field).
Spec: provider.md 2 to 4, money.md 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from croupier.core import money
from croupier.core.commands import Answer, Catalogue, GameListing, LaunchOrder, PayIn, PayOut, Refund
from croupier.core.refusals import Refusal
from croupier.kit import names, strictjson
from croupier.kit.strictjson import BadField, BadJson, Json, NumberText, Record
from croupier.providers.betcore_v1 import outcomes
from croupier.providers.betcore_v1.messages import MAX_GAMES, MAX_LIST_BYTES, MAX_URL_CHARS, LaunchBody, WalletAnswer
from croupier.providers.betcore_v1.outcomes import RequestFault

CHARS_PER_STEP = 16_384
"""About so many characters of a games list are read in one turn: some milliseconds."""
ELEMENT_COST_CHARS = 64
"""An element costs as much as so many characters, however short it is."""

_WHOLE_NUMBER = re.compile(r"[0-9]{1,32}")
_ODD = re.compile(r"[0-9]{1,18}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_URL_CHARS = re.compile(r"[!#-;=?-\[\]-~]+")
"""Printable ASCII without space, double quote, angle brackets and backslash."""


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """One answer, ready to be sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


# --- what the provider asks -------------------------------------------------------------------------------------


def read_session_id(path_part: str) -> str:
    """The session a path names, as text that is safe to look up."""
    return _safe_name(path_part, "sessionId")


def read_pay_in(provider_id: int, session_id: str, body: bytes) -> PayIn:
    """`POST bets/pay-in`."""
    obj = _bet_body(session_id, body)
    return PayIn(
        provider_id, session_id, _read_ref(obj, "betId"), _read_ref(obj, "gameRoundId"), _read_amount(obj, "betAmount")
    )


def read_pay_in_out(provider_id: int, session_id: str, body: bytes) -> PayIn:
    """`POST bets/pay-in-out`: a pay-in that knows its win."""
    obj = _bet_body(session_id, body)
    return PayIn(
        provider_id,
        session_id,
        _read_ref(obj, "betId"),
        _read_ref(obj, "gameRoundId"),
        _read_amount(obj, "betAmount"),
        win=_read_amount(obj, "winAmount"),
        win_odd=_read_optional(_read_odd, obj, "winOdd"),
    )


def read_pay_out(provider_id: int, session_id: str, body: bytes) -> PayOut:
    """`POST bets/pay-out`."""
    obj = _bet_body(session_id, body)
    return PayOut(
        provider_id,
        session_id,
        _read_ref(obj, "betId"),
        _read_ref(obj, "gameRoundId"),
        _read_amount(obj, "winAmount"),
        win_odd=_read_optional(_read_odd, obj, "winOdd"),
    )


def read_refund(provider_id: int, session_id: str, body: bytes) -> Refund:
    """`POST bets/refund`."""
    return Refund(provider_id, session_id, _read_ref(_bet_body(session_id, body), "betId"))


def _bet_body(session_id: str, body: bytes) -> Record:
    """The body as an object whose sessionId, if it is there, is the path's."""
    obj = strictjson.record(strictjson.loads(body))
    if strictjson.optional(_read_ref, obj, "sessionId") not in {None, session_id}:
        raise BadField("sessionId", "differs from the session in the path")
    return obj


# --- single fields ----------------------------------------------------------------------------------------------


def _safe_name(value: str, field_name: str) -> str:
    """A text by which something is found again: what would make two of them look alike is refused."""
    problem = names.problem_of(value)
    if problem is not None:
        raise BadField(field_name, problem)
    return value


def _read_ref(obj: Record, name: str) -> str:
    """An id of the provider's: a name of 1 to 128 characters (kit.names)."""
    return _safe_name(strictjson.text(obj, name), name)


def _read_ref_or_number(obj: Record, name: str) -> str:
    """An id that may also be a whole number; 17 and "17" are the same id."""
    value = obj.get(name)
    if isinstance(value, NumberText) and _WHOLE_NUMBER.fullmatch(value):
        return str(value)
    return _read_ref(obj, name)


def _read_amount(obj: Record, name: str) -> str:
    """An amount inside the grammar; its currency judges the rest."""
    value = strictjson.amount_text(obj, name)
    if not money.is_amount(value):
        raise BadField(name, money.GRAMMAR_TEXT)
    return value


def _read_odd(obj: Record, name: str) -> str:
    """A multiplier, kept as written: it decides nothing, so a win is not lost for its many decimals."""
    value = strictjson.amount_text(obj, name)
    if not _ODD.fullmatch(value):
        raise BadField(name, "must be a number that is not negative")
    return value


def _read_optional(read: Callable[[Record, str], str], obj: Record, name: str) -> str | None:
    """A field that informs and decides nothing: one that cannot be read is absent, and no win or game is lost for it."""
    try:
        return strictjson.optional(read, obj, name)
    except BadField:
        return None


def read_bet_ref(body: bytes) -> str | None:
    """The betId of a body that was refused, if at least that can be read."""
    try:
        return _read_ref(strictjson.record(strictjson.loads(body)), "betId")
    except (BadJson, BadField):
        return None


def _is_url(value: str, schemes: frozenset[str]) -> bool:
    """Whether this is an absolute URL that is safe to hand to a browser."""
    if len(value) > MAX_URL_CHARS or not _URL_CHARS.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


# --- what the hub answers ---------------------------------------------------------------------------------------


def encode(answer: Answer) -> ProviderReply:
    """A flow's answer. Balance and currency are told whenever they are known, also beside a refusal."""
    outcome = outcomes.wire_outcome(answer.refusal)
    wire = WalletAnswer(response_code=outcome.code)
    if answer.currency is not None:
        wire.currency = answer.currency
        if answer.balance is not None:
            wire.balance = msgspec.Raw(money.format_amount(answer.balance, answer.currency).encode())
    if answer.refusal is Refusal.WRONG_DATA and answer.field is not None:
        wire.field = answer.field
        wire.message = f"{answer.field} {answer.why}"
    return _reply(wire, outcome.status, answer.retry_after_s)


def encode_bad_request(problem: BadJson | BadField) -> ProviderReply:
    """A body that could not be read, with the reader's own words and, if one field is to blame, its name."""
    if isinstance(problem, BadJson) and problem.too_large:
        return encode_fault(RequestFault.TOO_LARGE)
    outcome = outcomes.REFUSALS[Refusal.WRONG_DATA]
    wire = WalletAnswer(response_code=outcome.code, message=f"the body cannot be read: {problem.why}")
    if isinstance(problem, BadField):
        wire.field, wire.message = problem.field, f"{problem.field} {problem.why}"
    return _reply(wire, outcome.status)


def encode_fault(fault: RequestFault) -> ProviderReply:
    """What was wrong before there was anything to read."""
    outcome = outcomes.FAULTS[fault]
    return _reply(WalletAnswer(response_code=outcome.code, message=outcomes.FAULT_TEXTS[fault]), outcome.status)


def _reply(wire: WalletAnswer, status: int, retry_after_s: int | None = None) -> ProviderReply:
    headers = {"Content-Type": "application/json"}
    if status in outcomes.NOT_TAKEN_STATUSES:
        headers["Retry-After"] = str(outcomes.RETRY_AFTER_S if retry_after_s is None else retry_after_s)
    return ProviderReply(status, msgspec.json.encode(wire), headers)


# --- what the hub asks of a provider, and what it answers -------------------------------------------------------


def encode_launch(order: LaunchOrder) -> bytes:
    """The launch body: compact, keys sorted, every amount a JSON number with its own digits."""
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
    """Decimal text of our own as a JSON number. Raises ValueError: it is a setting that should not have been saved."""
    if not money.is_amount(text):
        raise ValueError(f"{text[:40]!r} cannot be sent as a number")
    whole, point, decimals = text.partition(".")
    return msgspec.Raw(f"{whole.lstrip('0') or '0'}{point}{decimals}".encode())


def _optional_number(text: str | None) -> msgspec.Raw | msgspec.UnsetType:
    return msgspec.UNSET if text is None else _number(text)


def read_response_code(body: bytes) -> str | None:
    """The `_responseCode` of an answer, as it is written, or None if there is none to be seen."""
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        document = strictjson.loads(body)
    except BadJson:
        return None
    code = document.get("_responseCode") if isinstance(document, dict) else None
    return str(code) if isinstance(code, NumberText) else None


class GamesList:
    """The bare array of games, read in turns. An element that cannot be read costs itself only.

    A list may be long, and whoever else is served by this process must not wait for the whole of it.
    """

    def __init__(self, body: bytes) -> None:
        self._elements = strictjson.elements(body, max_bytes=MAX_LIST_BYTES, max_items=MAX_GAMES)
        self._games: dict[str, GameListing] = {}
        self._skipped: list[str] = []

    def read_on(self) -> bool:
        """Read some more of it; False when all is read. Raises BadJson."""
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
        """What was read; BadJson if there were games and none was readable."""
        if self._skipped and not self._games:
            raise BadJson(f"an array without one readable game ({self._skipped[0]})")
        return Catalogue(tuple(self._games.values()), tuple(self._skipped))


def _read_game(obj: Record, known: Container[str]) -> GameListing:
    """One element, whose id is none of the `known` ones and can stand in a path."""
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
    """Text for people: any script and any space, but no control character."""
    value = strictjson.text(obj, name, max_len)
    if _CONTROL.search(value):
        raise BadField(name, "must not hold control characters")
    return value


def _read_image_url(obj: Record) -> str | None:
    """A picture is decoration: one that is no web address is no picture, and the game stays."""
    value = obj.get("lobbyImgUrl")
    return value if isinstance(value, str) and _is_url(value, frozenset({"https", "http"})) else None


def read_frame_uri(body: bytes, *, allow_http: bool) -> str:
    """The frame's address out of a launch answer; plain http only where private peers are allowed."""
    obj = strictjson.record(strictjson.loads(body))
    value = strictjson.text(obj, "frameUri", MAX_URL_CHARS)
    if not _is_url(value, frozenset({"https", "http"} if allow_http else {"https"})):
        raise BadField("frameUri", "must be an http or https URL" if allow_http else "must be an https URL")
    return value
