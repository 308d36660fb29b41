"""The tables of the usual stack, as SQLAlchemy's ORM declares them. Never: rules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import DateTime, ForeignKey, LargeBinary, Numeric, String, UniqueConstraint, func
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Money = Numeric(20, 2)


class Model(AsyncAttrs, DeclarativeBase):
    """The parent of all tables."""


class Player(Model):
    """A player of the casino, with the balance as this program knows it."""

    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(128), unique=True)
    currency: Mapped[str] = mapped_column(String(8))
    balance: Mapped[Decimal | None] = mapped_column(Money)


class GameSession(Model):
    """A launched game."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    min_bet: Mapped[Decimal] = mapped_column(Money)
    max_bet: Mapped[Decimal] = mapped_column(Money)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    player: Mapped[Player] = relationship(lazy="joined")


class SeenRequest(Model):
    """A request id of the provider that was used, with the digest of its body."""

    __tablename__ = "seen_requests"
    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Bet(Model):
    """A bet with its stake. `answer` is what the provider was told; None while that is not known."""

    __tablename__ = "bets"
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(128), unique=True)
    round_ref: Mapped[str] = mapped_column(String(128))
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    amount: Mapped[Decimal] = mapped_column(Money)
    state: Mapped[str] = mapped_column(String(16), default="asked")
    answer: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    session: Mapped[GameSession] = relationship(lazy="joined")


class Payment(Model):
    """One payment of a bet at the casino."""

    __tablename__ = "payments"
    __table_args__ = (UniqueConstraint("bet_id", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    bet_id: Mapped[int] = mapped_column(ForeignKey("bets.id"))
    kind: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="sent")
    partner_transaction: Mapped[str | None] = mapped_column(String(128), unique=True)


class OutgoingCall(Model):
    """A call to the casino that must be made, or made again, until its payment has an outcome."""

    __tablename__ = "outgoing_calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    bet_id: Mapped[int] = mapped_column(ForeignKey("bets.id"), index=True)
    next_try_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class LedgerEntry(Model):
    """An amount that moved from one account to another."""

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(primary_key=True)
    bet_id: Mapped[int] = mapped_column(ForeignKey("bets.id"), index=True)
    source: Mapped[str] = mapped_column(String(32))
    target: Mapped[str] = mapped_column(String(32))
    amount: Mapped[Decimal] = mapped_column(Money)
