"""A win that is refused at the door while its bet is on calls for a person: the provider alone would know of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import structlog

from croupier.core.readings import Contents, PaymentKind, Yes
from croupier.flows.accept_payment import accept_payment
from croupier.store.db import Db
from tests.flows.desk import Desk, make_desk
from tests.providers.betcore_v1.test_routes import Provider

BET = "b-1001"
WIN: dict[str, object] = {"betId": BET, "gameRoundId": "r-1", "winAmount": "25.35"}


@pytest.fixture
async def desk(db: Db) -> AsyncIterator[Desk]:
    """A desk with a bet that is on."""
    made = await make_desk(db)
    bet = await made.bet()
    said = Contents(bet.bet_id, bet.player_ref, PaymentKind.STAKE, "10.00", None, "t-1")
    await accept_payment(made.hub, bet.casino_id, bet.bet_id, kind=PaymentKind.STAKE, outcome=Yes(said))
    yield made
    await made.line.close()


async def send(desk: Desk, verb: str, body: bytes, *, ago_ms: int = 0, kind: str = "application/json") -> int:
    headers = await Provider(desk).headers(body, ago_ms=ago_ms)
    # Every request has an id of its own.
    headers = await _fresh(desk, body, ago_ms) if headers else headers
    path = f"/v1/sessions/s-2/bets/{verb}"
    return (await desk.call("POST", path, body, **{**headers, "Content-Type": kind})).status


_numbers = iter(range(1, 1000))


async def _fresh(desk: Desk, body: bytes, ago_ms: int) -> dict[str, str]:
    provider = Provider(desk)
    provider.numbers = next(_numbers)
    return await provider.headers(body, ago_ms=ago_ms)


async def notes(desk: Desk) -> list[str]:
    return [one.note for one in await desk.hub.store.incidents.open_ones() if one.name == "win_refused"]


def written(**changes: object) -> bytes:
    return json.dumps({**WIN, **changes}).encode()


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("verb", "body", "why"),
    [
        ("pay-out", written(winAmount=25.349999999999998), "winAmount must be"),
        ("pay-out", written(winAmount="25.349"), "winAmount has more decimals than the 2 of EUR"),
        ("pay-out", written(winAmount="25,35"), "winAmount must be"),
        ("pay-out", written(winAmount=None), "winAmount must not be null"),
        ("pay-out", written(gameRoundId=7), "gameRoundId must be a string"),
        ("refund", written(sessionId="another"), "sessionId differs"),
    ],
)
async def test_a_field_that_refuses_a_win_is_named_beside_its_bet_and_provider(
    desk: Desk, verb: str, body: bytes, why: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        assert await send(desk, verb, body) == 400
    (note,) = await notes(desk)
    assert note.startswith(f"a {verb} of provider Reelwright for betId {BET} was refused: {why}")
    (line,) = [line for line in lines if line["event"] == "provider.win_refused"]
    assert (line["provider"], line["bet"], line["log_level"]) == ("Reelwright", BET, "warning")


async def test_a_win_whose_signature_is_only_old_is_told_with_its_age(desk: Desk) -> None:
    assert await send(desk, "pay-out", written(), ago_ms=31_000) == 401
    (note,) = await notes(desk)
    assert note.endswith("refused: the signature is good, but the timestamp is 31.0 s old")


async def test_a_win_of_another_content_type_is_told_too(desk: Desk) -> None:
    assert await send(desk, "pay-out", written(), kind="text/plain") == 415
    assert len(await notes(desk)) == 1


async def test_nobody_is_called_for_what_nobody_signed_or_what_is_not_on(desk: Desk) -> None:
    """Who knows no secret must not fill the list, and a stake that is refused costs nobody anything."""
    provider = Provider(desk)
    body = written(winAmount=25.349999999999998)
    headers = await provider.headers(body, secret="another", ago_ms=31_000)
    assert (await desk.call("POST", "/v1/sessions/s-2/bets/pay-out", body, **headers)).status == 401
    assert await send(desk, "pay-out", written(betId="b-unknown", winAmount="x")) == 400
    assert await send(desk, "pay-in", written(betAmount="x")) == 400
    assert await send(desk, "pay-out", b"{") == 400
    assert await notes(desk) == []


async def test_a_provider_that_repeats_it_for_hours_is_told_of_once_a_minute(desk: Desk) -> None:
    for _ in range(5):
        assert await send(desk, "pay-out", written(winAmount="25.349")) == 400
        desk.clock.ms += 1000
    (told,) = await desk.hub.store.incidents.open_ones()
    assert told.times == 1
    desk.clock.ms += 60_000
    assert await send(desk, "pay-out", written(winAmount="25.349")) == 400
    (told,) = await desk.hub.store.incidents.open_ones()
    assert told.times == 2


async def test_a_win_that_is_taken_after_all_is_paid(desk: Desk) -> None:
    assert await send(desk, "pay-out", written(winAmount=25.349999999999998)) == 400
    await desk.hub.store.incidents.close_taken()
    assert len(await notes(desk)) == 1, "it is still on"
    assert await send(desk, "pay-out", written(winAmount="25.35", winOdd="x2")) == 200
    await desk.hub.store.incidents.close_taken()
    assert await notes(desk) == [], "nobody needs to look any more"


async def test_a_refused_win_whose_bet_ended_otherwise_is_still_a_person_s(desk: Desk) -> None:
    assert await send(desk, "pay-out", written(winAmount="25.349")) == 400
    assert await send(desk, "refund", json.dumps({"betId": BET}).encode()) == 200
    await desk.hub.store.incidents.close_taken()
    assert len(await notes(desk)) == 1


@pytest.mark.parametrize(("networks", "status"), [(["127.0.0.0/8"], 200), (["192.0.2.0/24"], 401)])
async def test_a_signed_win_from_an_address_that_is_none_of_the_providers_calls_for_a_person(
    desk: Desk, networks: list[str], status: int
) -> None:
    """Its servers may have moved: the peer gets the same answer as a stranger, and a person learns the address."""
    await desk.hub.store.providers.change(desk.cast.provider.provider_id, {"addresses": networks})
    with structlog.testing.capture_logs() as lines:
        assert await send(desk, "pay-out", written()) == status
    if status == 200:
        assert await notes(desk) == []
        return
    (note,) = await notes(desk)
    assert "the address 127.0.0.1 is none of the provider's" in note
    (line,) = [line for line in lines if line["event"] == "provider.unauthorized"]
    assert (line["provider"], line["why"]) == ("Reelwright", "the address 127.0.0.1 is none of the provider's")
