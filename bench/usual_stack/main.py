"""The path of a pay-in as a competent team would first write it: FastAPI, pydantic, SQLAlchemy's async ORM, httpx, PyJWT, PostgreSQL.

For one bet it gives what the hub gives: the signature is checked, a request is taken once, a betId is idempotent, everything is stored before
the casino is called, the answer is stored before it is given, and a call without an outcome is made again. It has no pay-outs, refunds,
lists or late accepts, no limits per casino, no audit. Run: uvicorn bench.usual_stack.main:app
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
from fastapi import FastAPI, HTTPException, Request, Response
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.usual_stack.messages import Accept, Answer, Credentials, Envelope, PayIn, Settings
from bench.usual_stack.models import Bet, GameSession, LedgerEntry, OutgoingCall, Payment, Player, SeenRequest
from bench.usual_stack.security import Keys

STAKE = -1
RETRY_S = 10
SUCCESS = Envelope(error_code=200, message="Success")
HTTP = {1: 200, 2: 404, 3: 402, 4: 403, 6: 400, 7: 409, 8: 401, 99: 504}

settings = Settings.of_environment()
keys = Keys(settings)
engine = create_async_engine(settings.database_url, pool_size=20, max_overflow=0)
Database = async_sessionmaker(engine, expire_on_commit=False)
client = httpx.AsyncClient(base_url=settings.casino_url, timeout=httpx.Timeout(10, connect=2))
waiting: dict[int, asyncio.Event] = {}
"""The pay-ins of this process that wait for an accept, by bet."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make calls again in the background, and close everything at the end."""
    retries = asyncio.create_task(retry_calls())
    yield
    retries.cancel()
    await client.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.exception_handler(HTTPException)
async def refuse(_: Request, error: HTTPException) -> Response:
    """Answer a refusal in the provider's form."""
    code = next((code for code, status in HTTP.items() if status == error.status_code), 6)
    return reply(Answer(code=code))


def reply(answer: Answer) -> Response:
    """Return an answer with its HTTP status."""
    text = answer.model_dump_json(by_alias=True, exclude_none=True)
    return Response(text, HTTP[answer.code], media_type="application/json")


@app.post("/v1/sessions/{session_id}/bets/pay-in")
async def pay_in(session_id: str, request: Request) -> Response:
    """Take a stake and answer when the casino has accepted it, or with 99 when the hold time is over."""
    body = await request.body()
    request_id, digest = keys.check_signature(request, body)
    order = PayIn.model_validate_json(body)
    if order.session_id not in (None, session_id):
        raise HTTPException(400, "another session")
    async with Database() as db:
        bet, created = await record_bet(db, session_id, order, request_id=request_id, digest=digest)
    if bet.answer is not None:
        return reply(answer_of(bet))
    event = waiting.setdefault(bet.id, asyncio.Event())
    if bet.state != "asked":
        event.set()
    try:
        if created:
            if bet.session.player.balance is None:
                await fetch_balance(bet.session.player)
            await send_make(bet)
        async with asyncio.timeout(settings.hold_s):
            await event.wait()
    except TimeoutError:
        pass
    finally:
        waiting.pop(bet.id, None)
    return reply(await store_answer(bet.id))


async def record_bet(
    db: AsyncSession, session_id: str, order: PayIn, *, request_id: str, digest: bytes
) -> tuple[Bet, bool]:
    """Store the request, the bet, its payment and the call. Return the bet and whether it is new. Raises HTTPException."""
    await note_request(db, request_id, digest)
    known = await db.scalar(select(Bet).where(Bet.ref == order.bet_id))
    if known is not None:
        if (known.round_ref, known.amount) != (order.game_round_id, order.bet_amount):
            raise HTTPException(409, "the bet exists with other contents")
        await db.commit()
        return known, False
    session = await db.get(GameSession, session_id)
    if session is None or session.expires_at < datetime.now(UTC):
        raise HTTPException(404, "no such session")
    if not session.min_bet <= order.bet_amount <= session.max_bet:
        raise HTTPException(403, "outside of the limits")
    bet = Bet(ref=order.bet_id, round_ref=order.game_round_id, session=session, amount=order.bet_amount)
    db.add(bet)
    await db.flush()
    db.add(Payment(bet_id=bet.id, kind=STAKE))
    db.add(OutgoingCall(bet_id=bet.id, next_try_at=datetime.now(UTC) + timedelta(seconds=RETRY_S)))
    await db.commit()
    return bet, True


async def note_request(db: AsyncSession, request_id: str, digest: bytes) -> None:
    """Store the request id. Raises HTTPException if another body has used it."""
    db.add(SeenRequest(request_id=request_id, digest=digest))
    try:
        await db.flush()
    except IntegrityError:
        await db.rollback()
        seen = await db.get(SeenRequest, request_id)
        if seen is None or not hmac.compare_digest(seen.digest, digest):
            raise HTTPException(401, "a replay") from None


async def send_make(bet: Bet) -> None:
    """Call the casino. A failure leaves the outcome unknown: the call stays in its table."""
    data = {
        "BetId": bet.id,
        "PartnerUserId": bet.session.player.ref,
        "TransactionType": STAKE,
        "Amount": str(bet.amount),
    }
    try:
        answer = await client.post(
            "/payments/make", content=keys.sign_call(data), headers={"content-type": "application/json"}
        )
        answer.raise_for_status()
    except httpx.HTTPError:
        return


async def fetch_balance(player: Player) -> None:
    """Ask the casino for a balance that is not known, and store it."""
    body = keys.sign_call({"PartnerUserId": player.ref})
    answer = await client.post("/users/data", content=body, headers={"content-type": "application/json"})
    value = Envelope.model_validate_json(answer.content).value
    if value is not None:
        async with Database.begin() as db:
            missing = update(Player).where(Player.id == player.id, Player.balance.is_(None))
            await db.execute(missing.values(balance=Decimal(value["Balance"])))


async def store_answer(bet_id: int) -> Answer:
    """Store what the provider is told, and return it."""
    async with Database() as db:
        bet = await db.get_one(Bet, bet_id)
        bet.answer = {"on": 1, "refused": 4}.get(bet.state, 99)
        await db.commit()
        return answer_of(bet)


def answer_of(bet: Bet) -> Answer:
    """Return the stored answer, with the balance if it is known."""
    player = bet.session.player
    balance = None if player.balance is None else float(player.balance)
    return Answer(code=bet.answer or 99, balance=balance, currency=player.currency)


@app.post("/mis-api/api/v2/payments/accept")
async def accept(order: Accept, request: Request) -> Envelope:
    """Take the outcome of a make. The same outcome again changes nothing."""
    keys.check_bearer(request)
    async with Database() as db:
        bet = await db.scalar(select(Bet).where(Bet.id == order.value.bet_id).with_for_update(of=Bet))
        payment = await db.scalar(
            select(Payment).where(Payment.bet_id == order.value.bet_id, Payment.kind == order.value.transaction_type)
        )
        if bet is None or payment is None:
            return Envelope(error_code=102823, message="Error accepting transaction")
        if payment.state == "sent":
            await book(db, bet, payment, order=order)
            await db.commit()
    event = waiting.get(bet.id)
    if event is not None:
        event.set()
    return SUCCESS


async def book(db: AsyncSession, bet: Bet, payment: Payment, *, order: Accept) -> None:
    """Write the outcome: payment, bet, ledger and balance; the call is done."""
    accepted = order.error_code == 200
    payment.state, bet.state = ("accepted", "on") if accepted else ("refused", "refused")
    payment.partner_transaction = order.value.partner_transaction_id
    if accepted:
        db.add(LedgerEntry(bet_id=bet.id, source="wallets", target="open_bets", amount=bet.amount))
        player_id = bet.session.player_id
        await db.execute(update(Player).where(Player.id == player_id).values(balance=Player.balance - bet.amount))
    await db.execute(delete(OutgoingCall).where(OutgoingCall.bet_id == bet.id))


@app.post("/mis-api/api/v2/auth/token")
async def token(order: Credentials) -> Envelope:
    """Issue an access token."""
    if order.partner_client_id != settings.casino_id or not hmac.compare_digest(order.secret, settings.casino_secret):
        raise HTTPException(401, "the secret is wrong")
    return Envelope(error_code=200, message="Success", value={"AccessToken": keys.issue_token(), "TokenType": "Bearer"})


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Say that the program serves."""
    return {"status": "ready"}


async def retry_calls() -> None:
    """Make calls without an outcome again, every second those that are due."""
    while True:
        await asyncio.sleep(1)
        async with Database() as db:
            due = select(OutgoingCall).where(OutgoingCall.next_try_at < datetime.now(UTC)).limit(100)
            calls = (await db.scalars(due.with_for_update(skip_locked=True))).all()
            for call in calls:
                call.next_try_at = datetime.now(UTC) + timedelta(seconds=RETRY_S)
            bets = [await db.get_one(Bet, call.bet_id) for call in calls]
            await db.commit()
        for bet in bets:
            await send_make(bet)
