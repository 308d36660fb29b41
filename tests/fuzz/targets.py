"""Every place that reads what a peer sent, with inputs bred for it and what must hold of each reading.

A target's `check` says whether the input was taken or refused, and raises for anything that must not be: an exception
outside of the reader's closed list, or a reading that the second reader (`apart`) does not find in the bytes.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from croupier.casinos.betcore_v2 import codec, messages, signing
from croupier.casinos.betcore_v2.messages import BETS, CASHBACKS, Subject
from croupier.casinos.betcore_v2.outcomes import DEFAULT_CODES
from croupier.core import money
from croupier.core.commands import Answer, Catalogue, LaunchOrder, Order
from croupier.core.counterparty import Casino
from croupier.core.readings import (
    Authorized,
    BalanceKnown,
    BalanceUnreadable,
    CloseDone,
    Contents,
    Exists,
    InfoList,
    No,
    PaymentKind,
    Received,
    Unknown,
    Yes,
)
from croupier.core.refusals import CasinoNo, Refusal
from croupier.kit import jwt, strictjson
from croupier.kit.jwt import BadToken
from croupier.kit.strictjson import BadField, BadJson
from croupier.providers.betcore_v1 import codec as provider_codec
from croupier.providers.betcore_v1 import signing as provider_signing
from croupier.providers.betcore_v1.messages import MAX_GAMES, MAX_LIST_BYTES
from tests.fuzz import apart, feed_targets, samples
from tests.fuzz.apart import NotReadable
from tests.fuzz.breed import Breeder
from tests.fuzz.stopwatch import WATCH, not_counted

CASINO = Casino(samples.CASINO_ID, "Corner Bet", "betcore_v2", "https://casino.test", ("EUR",))
OWN_CODES = replace(CASINO, codes={CasinoNo.NOT_ENOUGH_FUNDS: 500, CasinoNo.BET_UNKNOWN: 999})
STAKE = Order(samples.BET_ID, PaymentKind.STAKE, "p-7", 1250, None, "EUR")
CASHBACK = Order(samples.BET_ID, PaymentKind.CASHBACK, "p-7", 1250, 250, "EUR")
REFUSALS = {code: reason for reason, code in DEFAULT_CODES.items()}
SHARE_OF_BOMBS = 0.004

Bodies = Callable[[Breeder], Any]
Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Target:
    """One reader. `check` gives True if the input was taken."""

    name: str
    breed: Bodies
    check: Check


def bodies(shaped: Callable[[Breeder], bytes], around: bytes = b"%s") -> Bodies:
    """Inputs of a shape: as bred, broken, noise, and now and then a bomb in the place of a value."""

    def breed(breeder: Breeder) -> bytes:
        how = breeder.chance.random()
        if how < SHARE_OF_BOMBS:
            return breeder.bomb(around if how < SHARE_OF_BOMBS / 2 else b"%s")
        if how < 0.02:
            return breeder.noise()
        sample = shaped(breeder)
        return breeder.twisted(sample) if how < 0.4 else sample

    return breed


def read(reading: Callable[[], Any], *refusals: type[Exception]) -> Any:
    """What a reader gives, or NotReadable itself for one of its refusals; anything else is raised."""
    try:
        return reading()
    except refusals:
        return NotReadable


def agree(ours: Any, theirs: Any) -> bool:
    """Both read the same, or both read nothing. True if it was read."""
    assert ours == theirs, f"the hub reads {ours!r}, the second reader {theirs!r}"
    return ours is not NotReadable


# --- JSON and amounts -----------------------------------------------------------------------------------------------


def any_json(breeder: Breeder) -> bytes:
    return breeder.record({"a": samples.AMOUNT, "b": (breeder.record({"c": samples.REF, "d": samples.AMOUNT}),)}, 0.6)


def check_json(body: bytes) -> bool:
    ours = read(lambda: strictjson.loads(body), BadJson)
    theirs = read(lambda: apart.parse(body), NotReadable)
    taken = ours is not NotReadable
    assert taken == (theirs is not NotReadable), f"the hub reads {ours!r}, the second reader {theirs!r}"
    assert not taken or apart.same(theirs, ours)
    return taken


def check_sorted(body: bytes) -> bool:
    ours = read(lambda: strictjson.sorted_compact(body), BadJson)
    if ours is NotReadable:
        assert read(lambda: apart.parse(body), NotReadable) is NotReadable
        return False
    WATCH.turn()
    assert strictjson.sorted_compact(ours) == ours, "sorting again changes something"
    assert _unordered(apart.parse(body)) == _unordered(apart.parse(ours)), "sorting changes a value"
    return True


@not_counted
def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unordered(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_unordered(inner) for inner in value]
    return (type(value).__name__, value)


CURRENCIES = [("EUR", 2), ("JPY", 0), ("KWD", 3), ("BTC", 8), ("mBTC", 5), ("CLF", 4), ("USDT", 6)]


def any_amount(breeder: Breeder) -> tuple[str, str, int]:
    chance = breeder.chance
    text = "".join(chance.choices("0123456789", k=1 + int(chance.random() * 16)))
    if chance.random() < 0.6:
        text += "." + "".join(chance.choices("0000123456789", k=1 + int(chance.random() * 9)))
    if chance.random() < 0.4:
        text = breeder.twisted(text.encode()).decode("utf-8", "surrogateescape")
    if chance.random() < SHARE_OF_BOMBS:
        text = breeder.bomb().decode("latin-1")
    return (text, *CURRENCIES[int(chance.random() * len(CURRENCIES))])


def check_amount(asked: tuple[str, str, int]) -> bool:
    text, currency, decimals = asked
    ours = read(lambda: money.parse_amount(text, currency), money.BadAmount)
    taken = agree(ours, read(lambda: apart.minor_units(text, decimals), NotReadable))
    assert money.is_amount(text) == (read(lambda: apart.an_amount(text), NotReadable) is not NotReadable)
    assert money.same_amount(text, ours if taken else 1, currency) == taken
    if taken:
        again = money.format_amount(ours, currency)
        assert money.parse_amount(again, currency) == ours, "what is written is read as another amount"
        assert Decimal(again) == Decimal(text)
    return taken


# --- tokens ---------------------------------------------------------------------------------------------------------


def _genuine(token: str, among: Sequence[str]) -> bool:
    """Whether header and claims are those of a token that the hub signed for this purpose."""
    return token.rpartition(".")[0] in {known.rpartition(".")[0] for known in among}


def check_bearer(token: bytes) -> bool:
    text = token.decode("latin-1")
    bearer = read(
        lambda: signing.read_token(
            text, samples.PUBLIC, scope=signing.SCOPE, issuer=samples.ISSUER, now_s=samples.NOW_S
        ),
        BadToken,
    )
    taken = bearer is not NotReadable
    assert _genuine(text, samples.BEARERS) or not taken, "a bearer that was never issued"
    assert taken or text not in samples.BEARERS
    return taken


def check_verify(body: bytes) -> bool:
    def open_it() -> signing.Sent:
        token = messages.read_verify_request(body)
        return signing.verify_sent(
            token, samples.PUBLIC, casino_id=samples.CASINO_ID, issuer=samples.ISSUER, now_s=samples.NOW_S
        )

    sent = read(open_it, BadToken, BadJson, BadField)
    token = read(lambda: apart.a_text(apart.parse(body), 65536), NotReadable)
    taken = sent is not NotReadable
    assert not taken or _genuine(token, samples.SENT), "a JWT that was never sent"
    assert taken or token not in samples.SENT
    return taken


def any_jwks(breeder: Breeder) -> bytes:
    keys = [json.dumps(jwt.public_jwk(key)).encode() for key in samples.PUBLIC.values()]
    return (
        b'{"keys":[' + b",".join(breeder.twisted(key) if breeder.chance.random() < 0.4 else key for key in keys) + b"]}"
    )


def check_jwks(body: bytes) -> bool:
    def read_set() -> object:
        return jwt.public_keys_from_jwks(strictjson.record(strictjson.loads(body)))

    return read(read_set, BadJson, BadField, jwt.BadKey) is not NotReadable


# --- signed requests ------------------------------------------------------------------------------------------------


def check_hmac(request: tuple[list[tuple[bytes, bytes]], bytes]) -> bool:
    headers, body = request
    claim = provider_signing.read_claim(headers)
    verdict: object = claim
    if isinstance(claim, provider_signing.Claim):
        now_ms = samples.NOW_S * 1000
        verdict = provider_signing.verify(samples.SECRETS, claim, body or None, now_ms=now_ms, fresh_s=30.0)
    taken = isinstance(verdict, provider_signing.Verified)
    assert taken == apart.signed(headers, body, samples.SECRETS, samples.NOW_S * 1000, 30_000)
    return taken


# --- what providers send --------------------------------------------------------------------------------------------

VERBS: Mapping[str, tuple[str, ...]] = {
    "pay_in": ("betId", "gameRoundId", "betAmount"),
    "pay_in_out": ("betId", "gameRoundId", "betAmount", "winAmount"),
    "pay_out": ("betId", "gameRoundId", "winAmount"),
    "refund": ("betId",),
}
SPELT = {"betId": "bet_ref", "gameRoundId": "round_ref", "betAmount": "stake", "winAmount": "win"}


def bet_call(verb: str) -> Target:
    names = VERBS[verb]
    reader: Callable[[int, str, bytes], object] = getattr(provider_codec, f"read_{verb}")

    def check(body: bytes) -> bool:
        try:
            command: Any = reader(7, "s-1", body)
            ours: Any = tuple(getattr(command, SPELT[name]) for name in names)
        except (BadJson, BadField) as problem:
            ours = NotReadable
            reply = provider_codec.encode_bad_request(problem)
            assert reply.status in (400, 413)
            assert len(reply.body) < 300
        return agree(ours, read(lambda: apart.bet_call(body, "s-1", *names), NotReadable))

    return Target(
        verb, bodies(lambda breeder: breeder.record(samples.BET_CALL), b'{"betId":%s,"gameRoundId":"r"}'), check
    )


def check_session_id(path_part: bytes) -> bool:
    text = path_part.decode("utf-8", "replace")
    ours = read(lambda: provider_codec.read_session_id(text), BadField)
    return agree(ours, read(lambda: apart.a_ref(text), NotReadable))


# --- what providers answer ------------------------------------------------------------------------------------------


def any_games(breeder: Breeder) -> bytes:
    if breeder.chance.random() < SHARE_OF_BOMBS / 8:  # up to a megabyte is read of a list
        count = int(breeder.chance.random() * 60_000)
        return b"[" + breeder.one((b"0,", b"{},", b'"",', b'{"gameId":1},')) * count + b"0]"
    count = int(breeder.chance.random() * 6)
    return b"[" + b",".join(breeder.record(samples.GAME) for _ in range(count)) + b"]"


def _catalogue(body: bytes) -> Catalogue:
    """A games list read as the client does it: others run between two turns."""
    games = provider_codec.GamesList(body)
    while games.read_on():
        WATCH.turn()
    return games.catalogue()


def check_games(body: bytes) -> bool:
    catalogue = read(lambda: _catalogue(body), BadJson)
    theirs = read(lambda: apart.parse(body, MAX_LIST_BYTES), NotReadable)
    if catalogue is NotReadable:
        assert not _games_in(theirs) or len(theirs) > MAX_GAMES or len(body) > strictjson.MAX_BYTES
        return False
    assert isinstance(theirs, list)
    assert len(catalogue.games) + len(catalogue.skipped) == len(theirs)
    names = [game.game_ref for game in catalogue.games]
    assert len(set(names)) == len(names)
    assert set(names) == _games_in(theirs)
    return True


@not_counted
def _games_in(document: object) -> set[str]:
    """The ids of all that is a game."""
    games = document if isinstance(document, list) else []
    return {str(game["gameId"]) for game in games if isinstance(game, dict) and _is_game(game)}


def _is_game(game: dict[str, Any]) -> bool:
    """Whether the contract's required fields can be read; the optional odd informs and is not looked at."""

    def all_of_it() -> bool:
        ref = game.get("gameId")
        if not (isinstance(ref, apart.Number) and ref.isdecimal() and len(ref) <= 32):
            apart.a_ref(ref)
        words = apart.a_text(game.get("name"), 256) + apart.a_text(game.get("gameCategory"), 64)
        return ref not in (".", "..") and not any(unicodedata.category(character) == "Cc" for character in words)

    return read(all_of_it, NotReadable) is True


def any_launch(breeder: Breeder) -> bytes:
    uris = samples.raw(
        "https://game.test/x?y=1", "http://game.test/", "https://game.test:8443/a", "//game.test", "ftp://x"
    )
    return breeder.record({"frameUri": uris, "_responseCode": samples.raw(1, None)}, 0.8)


def check_launch(body: bytes) -> bool:
    uri = read(lambda: provider_codec.read_frame_uri(body, allow_http=False), BadJson, BadField)
    if uri is NotReadable:
        return False
    assert apart.an_object(apart.parse(body))["frameUri"] == uri
    assert uri.lower().startswith("https://")
    assert uri.isascii()
    assert not set(uri) & set(' "<>\\\x00\n\r\t')
    assert "@" not in uri[8:].partition("/")[0]
    return True


def check_response_code(body: bytes) -> bool:
    code = provider_codec.read_response_code(body)
    document = read(lambda: apart.parse(body), NotReadable)
    stated = document.get("_responseCode") if isinstance(document, dict) else None
    assert code == (str(stated) if isinstance(stated, apart.Number) else None) or not body.lstrip().startswith(b"{")
    return code is not None


# --- what casinos send ----------------------------------------------------------------------------------------------


def check_token_request(body: bytes) -> bool:
    def theirs() -> tuple[int, str]:
        fields = apart.an_object(apart.parse(body))
        return apart.a_whole(fields.get("PartnerClientId"), 0, 2**31 - 1), apart.a_text(fields.get("Secret"), 256)

    ours = read(lambda: messages.read_token_request(body), BadJson, BadField)
    return agree(ours, read(theirs, NotReadable))


def stated(contents: Contents, subject: Subject) -> tuple[object, ...]:
    kind = None if contents.kind is None else subject.types[contents.kind]
    return (
        contents.subject_id, contents.player_ref, contents.partner_tx, kind, contents.amount, contents.tax,
    )  # fmt: skip


def payments_of(subject: Subject) -> Callable[[Breeder], bytes]:
    fields = samples.payment_fields(subject.id_name)
    return lambda breeder: breeder.record(fields, 0.97)


def in_envelope(value: Callable[[Breeder], bytes]) -> Bodies:
    def shaped(breeder: Breeder) -> bytes:
        inner = b"null" if breeder.chance.random() < 0.05 else value(breeder)
        return samples.said(breeder, inner)

    return bodies(shaped, b'{"ErrorCode":200,"Message":"Success","Value":%s}')


def accept(name: str, subject: Subject) -> Target:
    types = sorted(subject.types.values())

    def check(body: bytes) -> bool:
        heard = read(lambda: codec.read_accept(body, OWN_CODES, subject), BadJson, BadField)
        said = read(lambda: apart.envelope(body), NotReadable)
        whole = (
            NotReadable
            if said is NotReadable
            else read(lambda: apart.payment(said[2], subject.id_name, types), NotReadable)
        )
        outcome = NotReadable if heard is NotReadable else heard.outcome
        means_yes = said is not NotReadable and said[0] == 200 and said[1] is not None and whole is not NotReadable
        assert isinstance(outcome, Yes) == means_yes, "a yes, and the bytes do not say so, or the other way round"
        if isinstance(outcome, Yes):
            assert (heard.subject_id, subject.types[heard.kind]) == (whole[0], whole[3])
            assert stated(outcome.contents, subject) == whole
        if isinstance(outcome, Exists):
            assert said[0] == 103804
            assert outcome.contents is None or stated(outcome.contents, subject) == whole
        if isinstance(outcome, No):
            assert said[0] not in (200, 103804)
            assert outcome.code == said[0]
        return heard is not NotReadable

    return Target(name, in_envelope(payments_of(subject)), check)


# --- what casinos answer --------------------------------------------------------------------------------------------


def answered(shaped: Bodies) -> Bodies:
    """An answer with its HTTP status."""

    def breed(breeder: Breeder) -> tuple[int, bytes]:
        status = 200 if breeder.chance.random() < 0.9 else int(breeder.chance.random() * 700)
        return status, shaped(breeder)

    return breed


def said_of(answer: tuple[int, bytes]) -> Any:
    """The envelope of an answer that decides; NotReadable otherwise."""
    status, body = answer
    return NotReadable if status >= 500 or 300 <= status < 400 else read(lambda: apart.envelope(body), NotReadable)


def acknowledgement(name: str, order: Order) -> Target:
    subject = messages.subject_of(order.kind)
    types = sorted(subject.types.values())

    def check(answer: tuple[int, bytes]) -> bool:
        ack = codec.read_ack(*answer, CASINO, order=order)
        said = said_of(answer)
        if isinstance(ack, Unknown):
            assert ack.why.isprintable()
            assert len(ack.why) < 300
            return False
        assert said is not NotReadable, "a meaning without an envelope"
        code, _, value = said
        if isinstance(ack, Yes):
            assert code == 200
            assert apart.a_casinos_ref(value["PartnerTransactionId"]) == ack.contents.partner_tx
            numbers = {
                subject.id_name: ack.contents.subject_id,
                "TransactionType": ack.contents.kind and subject.types[ack.contents.kind],
            }
            texts = {"PartnerUserId": ack.contents.player_ref, "Amount": ack.contents.amount}
            assert all(int(value[name]) == number for name, number in numbers.items() if value.get(name) is not None)
            assert all(value[name] == text for name, text in texts.items() if value.get(name) is not None)
        elif isinstance(ack, Received):
            assert code == 200
            assert value is None or value == [] or value.get("PartnerTransactionId") is None
        elif isinstance(ack, Exists):
            assert code == 103804
            whole = read(lambda: apart.payment(value, subject.id_name, types), NotReadable)
            assert (None if ack.contents is None else stated(ack.contents, subject)) == (
                None if whole is NotReadable else whole
            )
        else:
            assert (ack.code, ack.reason) == (code, REFUSALS[code])
        return True

    return Target(name, answered(in_envelope(payments_of(subject))), check)


def check_list_ack(answer: tuple[int, bytes]) -> bool:
    taken = codec.read_list_ack(*answer, CASINO) == Received()
    said = said_of(answer)
    assert taken == (said is not NotReadable and said[0] == 200 and answer[0] not in (404, 405, 501))
    return taken


def any_info(breeder: Breeder) -> bytes:
    count = int(breeder.chance.random() * 4)
    fields = {**samples.payment_fields("BetId"), "BetId": samples.raw(samples.BET_ID)}
    return b"[" + b",".join(breeder.record(fields, 0.99) for _ in range(count)) + b"]"


def check_info(answer: tuple[int, bytes]) -> bool:
    info = codec.read_info(*answer, CASINO, bet_id=samples.BET_ID)
    said = said_of(answer)
    if not isinstance(info, InfoList):
        return False
    assert said is not NotReadable
    if said[0] == 103805:
        assert info.payments == ()
        return True
    assert said[0] == 200
    assert isinstance(said[2], list)
    theirs = [apart.payment(element, "BetId", sorted(BETS.types.values())) for element in said[2]]
    assert [stated(contents, BETS) for contents in info.payments] == theirs
    assert all(whole[0] == samples.BET_ID for whole in theirs)
    return True


def check_close(answer: tuple[int, bytes]) -> bool:
    taken = codec.read_close(*answer, CASINO) == CloseDone()
    said = said_of(answer)
    assert taken == (said is not NotReadable and said[0] == 200)
    return taken


def check_auth(answer: tuple[int, bytes]) -> bool:
    reading = codec.read_auth(*answer, CASINO)
    said = said_of(answer)
    if isinstance(reading, Authorized):
        assert said[0] == 200
        value = said[2]
        found = reading.refresh_token, reading.player_ref, reading.currency
        assert found == tuple(value[name] for name in ("RefreshToken", "PartnerUserId", "CurrencyCode"))
        assert not isinstance(value["RefreshToken"], apart.Number)
        assert apart.a_casinos_ref(value["PartnerUserId"]) == reading.player_ref
        assert reading.is_test is (str(value.get("IsTest")).lower() in ("true", "1"))
    return not isinstance(reading, Unknown)


def check_balance(answer: tuple[int, bytes]) -> bool:
    reading = codec.read_balance(*answer, CASINO)
    said = said_of(answer)
    if isinstance(reading, BalanceKnown):
        assert said[0] == 200
        assert said[2]["Balance"] == reading.balance
        assert not set(reading.balance) - set("0123456789.-")
    if isinstance(reading, BalanceUnreadable):
        assert said[0] == 200
    return not isinstance(reading, Unknown)


# --- what the hub writes is read back as what it was ----------------------------------------------------------------


def any_order(breeder: Breeder) -> Order:
    chance = breeder.chance.random
    kinds = list(PaymentKind)
    currency, decimals = CURRENCIES[int(chance() * len(CURRENCIES))]
    player = breeder.twisted("p-7\u00eb\U0001f3b0\"'\\".encode()).decode("utf-8", "ignore").replace("\0", "") or "p"
    return Order(
        int(chance() * 2**53), kinds[int(chance() * len(kinds))], player, int(chance() * _most(decimals)),
        int(chance() * 10**6) if chance() < 0.3 else None, currency,
        promo_code=player if chance() < 0.2 else None, tag_id=int(chance() * 1000) if chance() < 0.2 else None,
    )  # fmt: skip


def check_order(order: Order) -> bool:
    decimals = dict(CURRENCIES)[order.currency]
    subject = messages.subject_of(order.kind)
    fields = apart.parse(codec.make_data(order).encode())
    assert apart.parse(codec.list_data([order, order]).encode()) == [fields, fields]
    assert apart.a_whole(fields[subject.id_name], 0, 2**53) == order.subject_id
    assert apart.a_whole(fields["TransactionType"], -9, 9) == subject.types[order.kind]
    assert fields["PartnerUserId"] == order.player_ref
    assert apart.minor_units(fields["Amount"], decimals) == order.amount
    assert (None if order.tax is None else apart.minor_units(fields["TaxAmount"], decimals)) == order.tax
    assert (fields.get("PromoCode"), fields.get("TagId")) == (
        order.promo_code, None if order.tag_id is None else str(order.tag_id),
    )  # fmt: skip
    return True


def _most(decimals: int) -> int:
    """The largest amount that the grammar can write in this currency."""
    return min(10 ** (15 + decimals), 10**17)


def any_answer(breeder: Breeder) -> tuple[Answer, LaunchOrder]:
    chance = breeder.chance.random
    refusals: list[Refusal | None] = [None, *Refusal]
    currency, decimals = CURRENCIES[int(chance() * len(CURRENCIES))]
    amounts = [f"{int(chance() * 10**6)}.{int(chance() * 100):02d}" for _ in range(3)]
    answer = Answer(
        refusals[int(chance() * len(refusals))], int((chance() - 0.1) * _most(decimals)) if chance() < 0.9 else None, currency,
        "betId" if chance() < 0.3 else None, int(chance() * 9) if chance() < 0.3 else None,
    )  # fmt: skip
    words = breeder.twisted("p-7\u00eb\U0001f3b0\"'\\".encode()).decode("utf-8", "ignore").replace("\0", "")
    launch = LaunchOrder(words, words, "s-1", currency, "en", amounts[0], amounts[1], button_amounts=tuple(amounts))
    return answer, launch


def check_answer(written: tuple[Answer, LaunchOrder]) -> bool:
    answer, launch = written
    reply = provider_codec.encode(answer)
    fields = apart.parse(reply.body)
    assert (str(fields["_responseCode"]) == "1") == (answer.refusal is None) == (reply.status == 200)
    if answer.balance is not None and answer.balance >= 0:
        decimals = dict(CURRENCIES)[answer.currency or ""]
        assert apart.minor_units(fields["balance"], decimals) == answer.balance
    body = provider_codec.encode_launch(launch)
    opened = apart.parse(body)
    assert opened["userId"] == launch.user_ref
    assert Decimal(opened["minBet"]) == Decimal(launch.min_bet)
    assert [Decimal(text) for text in opened["buttonAmounts"]] == [Decimal(text) for text in launch.button_amounts]
    assert strictjson.sorted_compact(body) == body, "what is signed must be the sorted compact form"
    return True


# --- all of them ----------------------------------------------------------------------------------------------------

TARGETS: tuple[Target, ...] = (
    Target("json", bodies(any_json, b'{"a":%s}'), check_json),
    Target("sorted_compact", bodies(any_json, b'{"a":%s}'), check_sorted),
    Target("amount", any_amount, check_amount),
    Target("bearer", bodies(samples.token), check_bearer),
    Target("auth_verify", bodies(lambda breeder: b'"' + samples.token(breeder) + b'"', b'"%s"'), check_verify),
    Target("key_set", bodies(any_jwks, b'{"keys":%s}'), check_jwks),
    Target("hmac_headers", samples.signed_request, check_hmac),
    *map(bet_call, VERBS),
    Target("session_id", bodies(lambda breeder: breeder.twisted(b"0123456789abcdef")), check_session_id),
    Target("games", bodies(any_games, b'[{"gameId":%s}]'), check_games),
    Target("launch", bodies(any_launch, b'{"frameUri":%s}'), check_launch),
    Target("response_code", bodies(any_launch, b'{"_responseCode":%s}'), check_response_code),
    Target("token_request", bodies(lambda b: b.record(samples.TOKEN_REQUEST), b'{"Secret":%s}'), check_token_request),
    accept("payment_accept", BETS),
    accept("cashback_accept", CASHBACKS),
    acknowledgement("stake_ack", STAKE),
    acknowledgement("cashback_ack", CASHBACK),
    Target("list_ack", answered(in_envelope(payments_of(BETS))), check_list_ack),
    Target("info", answered(in_envelope(any_info)), check_info),
    Target("close", answered(in_envelope(payments_of(BETS))), check_close),
    Target("users_auth", answered(in_envelope(lambda b: b.record(samples.AUTHORIZED))), check_auth),
    Target("users_data", answered(in_envelope(lambda b: b.record({"Balance": samples.AMOUNT}))), check_balance),
    Target("orders_written", any_order, check_order),
    Target("answers_written", any_answer, check_answer),
    *(Target(*shape) for shape in feed_targets.SHAPES),
)
