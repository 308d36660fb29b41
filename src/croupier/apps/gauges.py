"""The gauges that `/metrics` reads from the database and the home for each scrape.

Owns: which fact becomes which gauge. Never: the facts (views.gauges, apps.backup). Spec: operate.md 6.
"""

from __future__ import annotations

import asyncio

from croupier.apps.backup import last_backup_s
from croupier.flows.hub import Hub
from croupier.kit.config import Settings
from croupier.views.gauges import gauges


async def put_gauges(hub: Hub, settings: Settings) -> None:
    """Publish the gauges of this moment. What is over disappears with the next scrape. Raises DbError."""
    found = await gauges(hub.store.db)
    money = [((one.casino, one.currency, one.what), one) for one in found.money]
    hub.metrics.put_all("croupier_open_payments", {labels: one.payments for labels, one in money})
    hub.metrics.put_all("croupier_open_minor_units", {labels: one.amount for labels, one in money})
    hub.metrics.put_all("croupier_open_oldest_seconds", {labels: one.oldest_ms / 1000 for labels, one in money})
    hub.metrics.put_all("croupier_incidents_open", {(name,): count for name, count in found.incidents.items()})
    hub.metrics.put_all("croupier_jackpot_minor_units", {(p.name, p.currency): p.amount for p in found.pots})
    made_s = await asyncio.to_thread(last_backup_s, settings)
    hub.metrics.put_all("croupier_backup_seconds", {} if made_s is None else {(): made_s})
