"""Make the tables and as many players as the argument says, each with a session. Print the sessions, one on a line."""

from __future__ import annotations

import asyncio
import sys
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bench.usual_stack.messages import Settings
from bench.usual_stack.models import GameSession, Model, Player


async def seed(players: int) -> None:
    """Make everything in an empty database."""
    engine = create_async_engine(Settings.of_environment().database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
    until = datetime.now(UTC) + timedelta(days=1)
    limits = {"min_bet": Decimal("0.01"), "max_bet": Decimal(10_000), "expires_at": until}
    async with AsyncSession(engine) as db:
        for number in range(players):
            player = Player(ref=f"p{number}", currency="EUR")
            session = GameSession(id=uuid.uuid4().hex, player=player, **limits)
            db.add(session)
            print(session.id)
        await db.commit()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(seed(int(sys.argv[1])))
