"""Wire bytes to a publication of draws and jackpot meters.

Owns: what each field must be, and its bounds. Never: whether an update is taken (core.draws). Readers raise `BadJson`
or `BadField`, which names the field with its place in the list. Spec: feed.md 4.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, TypeVar

from croupier.core import draws, money
from croupier.core.draws import Draw, DrawKey, DrawState, JackpotMeter, PlayState, Publication
from croupier.kit import names, strictjson
from croupier.kit.strictjson import BadField, Json, NumberText, Record

MAX_NAME: Final = 256
MAX_NESTED: Final = 4
"""Levels of lists and objects in one result."""
_WHOLE: Final = re.compile(r"[0-9]{1,64}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPELLINGS: Final = {
    "game_type": "gameType", "edition": "gameEdition", "play_state": "playState", "starts_ms": "startsAt",
    "betting_ends_ms": "bettingEndsAt", "ends_ms": "endsAt", "meters": "jackpots", "jackpot_ref": "jackpotId",
}  # fmt: skip
_T = TypeVar("_T")


def spelt(field: str) -> str:
    """The field of a publication, as `draws[2].starts_ms`, as the provider spells it."""
    return re.sub(r"[a-z_]+", lambda name: _SPELLINGS.get(name[0], name[0]), field)


def read_publication(provider_id: int, body: bytes) -> Publication:
    """`POST feed/draws`: a list of draws, or an object with `draws` and `jackpots`, each a list."""
    document = strictjson.loads(body)
    told: Record = {"draws": document} if isinstance(document, list) else strictjson.record(document)
    found = _each(told, "draws", _draw)
    meters = _each(told, "jackpots", _meter)
    if "draws" not in told and "jackpots" not in told:
        raise BadField("draws", "is missing")
    if len({meter.jackpot_ref for meter in meters}) < len(meters):
        raise BadField("jackpots", "must not name one jackpot twice")
    return Publication(provider_id, tuple(found), tuple(meters))


def _each(told: Record, field: str, read: Callable[[Record], _T]) -> list[_T]:
    """The elements of a list; what is wrong with one is told with its place."""
    elements = strictjson.optional(lambda obj, name: strictjson.listing(obj, name, draws.MAX_LIST), told, field) or []
    found = []
    for place, element in enumerate(elements):
        at = f"{field}[{place}]"
        obj = strictjson.record(element, at)
        try:
            found.append(read(obj))
        except BadField as problem:
            raise BadField(f"{at}.{problem.field}", problem.why) from None
    return found


def _draw(obj: Record) -> Draw:
    return Draw(
        key=DrawKey(
            strictjson.integer(obj, "gameType", low=0, high=draws.MAX_TYPE),
            strictjson.integer(obj, "gameEdition", low=0, high=draws.MAX_ID),
        ),
        version=strictjson.integer(obj, "version", low=0, high=draws.MAX_ID),
        state=DrawState(strictjson.integer(obj, "state", low=1, high=5)),
        play_state=PlayState(strictjson.integer(obj, "playState", low=1, high=2)),
        round=strictjson.integer(obj, "round", low=0, high=draws.MAX_ID),
        starts_ms=_instant(obj, "startsAt"),
        betting_ends_ms=_instant(obj, "bettingEndsAt"),
        ends_ms=strictjson.optional(_instant, obj, "endsAt"),
        results=strictjson.optional(_results, obj, "results"),
        proof=strictjson.optional(_proof, obj, "proof") or (),
    )


def _instant(obj: Record, field: str) -> int:
    """Unix milliseconds."""
    return strictjson.integer(obj, field, low=draws.EARLIEST_MS, high=draws.LATEST_MS)


def _results(obj: Record, field: str) -> str | None:
    """The list as compact text with sorted keys; an empty list says nothing."""
    told = strictjson.listing(obj, field, draws.MAX_RESULTS)
    text = _compact(told, field, MAX_NESTED)
    if len(text) > draws.MAX_RESULTS_CHARS:
        raise BadField(field, f"must have at most {draws.MAX_RESULTS_CHARS} characters")
    return text if told else None


def _compact(value: Json, field: str, levels: int) -> str:
    """One value, its numbers with their own digits; none that a reader of JSON could not hold."""
    if isinstance(value, NumberText):
        if not _NUMBER.fullmatch(value):
            raise BadField(field, "must hold numbers of at most 15 digits, and as many decimals")
        return str(value)
    if isinstance(value, list | dict) and levels == 0:
        raise BadField(field, f"must not be nested deeper than {MAX_NESTED}")
    if isinstance(value, list):
        return f"[{','.join(_compact(one, field, levels - 1) for one in value)}]"
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}:{_compact(value[name], field, levels - 1)}" for name in sorted(value))
        return f"{{{','.join(members)}}}"
    return json.dumps(value)


def _proof(obj: Record, field: str) -> tuple[tuple[str, str], ...]:
    """Named texts."""
    told = strictjson.mapping(obj, field)
    if len(told) > draws.MAX_PROOF:
        raise BadField(field, f"must have at most {draws.MAX_PROOF} fields")
    if any(names.problem_of(name, 64) for name in told):
        raise BadField(field, "must name its fields by 1 to 64 plain characters")
    try:
        return tuple((name, strictjson.text(told, name, draws.MAX_PROOF_CHARS)) for name in sorted(told))
    except BadField as problem:
        raise BadField(f"{field}.{problem.field}", problem.why) from None


def _meter(obj: Record) -> JackpotMeter:
    currency = strictjson.text(obj, "currency", 16)
    text = strictjson.amount_text(obj, "amount")
    try:
        amount = money.parse_amount(text, currency)
    except money.UnknownCurrency:
        raise BadField("currency", "is not known") from None
    except money.BadAmount as problem:
        raise BadField("amount", problem.why) from None
    return JackpotMeter(_jackpot_id(obj), _words(obj, "name"), amount, currency)


def _jackpot_id(obj: Record) -> str:
    """A name, or a whole number, whose digits are the name."""
    told = obj.get("jackpotId")
    if isinstance(told, NumberText) and _WHOLE.fullmatch(told):
        return str(told)
    value = strictjson.text(obj, "jackpotId")
    problem = names.problem_of(value)
    if problem is not None:
        raise BadField("jackpotId", problem)
    return value


def _words(obj: Record, field: str) -> str:
    value = strictjson.text(obj, field, MAX_NAME)
    if _CONTROL.search(value):
        raise BadField(field, "must not hold control characters")
    return value
