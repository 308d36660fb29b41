"""The participants of a run: casinos with players, providers with games, and a session per player and provider.

Owns: their registration with the hub and the network. Never: their behaviour (sim_casino, sim_provider, run).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from croupier.core.commands import GameListing
from croupier.core.session import Session
from croupier.flows.hub import Stores
from croupier.simulator.dials import CasinoCharacter, ProviderCharacter, one_of
from croupier.simulator.faults import FaultyWire
from croupier.simulator.hub_client import Access
from croupier.simulator.restrictions import HOLDS_AFTER_S, Restriction
from croupier.simulator.scene import Scene
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.sim_provider import MOST, Credentials, SimProvider
from croupier.simulator.stage import HUB_ORIGIN, START_MS, origin_of

CURRENCIES = ("EUR", "JPY", "KWD", "mBTC")
"""Every casino has at most one player per currency."""
SESSION_MS = 10**9


async def people(scene: Scene) -> None:
    """Register all participants with the hub, and mount the casinos on the network."""
    store = scene.stage.hubs[0].hub.store
    for number, character in enumerate(scene.dials.casinos):
        await _casino(scene, store, number, character=character)
    for hub in scene.stage.hubs:
        await hub.hub.store.keys.load()
    for number, provider_character in enumerate(scene.dials.providers):
        await _provider(scene, store, number, character=provider_character)
    for provider_id, provider in scene.providers.items():
        provider.foreign += [s for other, of in scene.sessions.items() if other != provider_id for s in of]


async def _casino(scene: Scene, store: Stores, number: int, *, character: CasinoCharacter) -> None:
    stage, dials = scene.stage, scene.dials
    origin = origin_of(f"casino{number}")
    # A limit of its own, so that one of a game is the narrower of two.
    quirks: dict[str, Any] = {
        "batch": one_of(scene.chance, (1, 10)),
        "max_bet": str(MOST),
        "in_flight": dials.in_flight,
    }
    if dials.late_refuse:
        quirks["late_accept"] = "refuse"
    if dials.tax_bp is not None:
        quirks["tax_bp"] = dials.tax_bp
    casino, secret = await store.casinos.add(f"casino{number}", origin, list(CURRENCIES), alg="EdDSA", **quirks)
    scene.secrets.append(secret)
    scene.casino_names[casino.casino_id] = casino.name
    peer = SimCasino(
        access=Access(HUB_ORIGIN, casino.casino_id, secret),
        wire=FaultyWire(stage.network, scene.around(f"network of casino {number}")),
        around=scene.around(f"casino {number}"),
        character=character,
        log=lambda *words: scene.write(f"casino{number}", *words),
    )
    peer.neighbours = lambda: tuple(scene.casinos.values())
    scene.casinos[casino.casino_id] = peer
    stage.network.mount(origin, peer)
    for n, currency in enumerate(CURRENCIES[: dials.players]):
        peer.currencies[f"player{n}"] = currency
        player = await store.players.register(casino.casino_id, f"player{n}", currency)
        scene.players.append((casino.casino_id, player.player_id, f"player{n}"))


async def _provider(scene: Scene, store: Stores, number: int, *, character: ProviderCharacter) -> None:
    provider, secret = await store.providers.add(f"provider{number}", origin_of(f"provider{number}"))
    provider_id = provider.provider_id
    scene.secrets.append(secret)
    scene.provider_names[provider_id] = provider.name
    peer = SimProvider(
        credentials=Credentials(HUB_ORIGIN, provider.counterparty_id, secret),
        wire=FaultyWire(scene.stage.network, scene.around(f"network of provider {number}")),
        clock=scene.stage.clock,
        character=character,
        log=_told(scene, provider_id),
        dials=scene.dials,
    )
    scene.providers[provider_id] = peer
    listing = [GameListing("g", "Game", "slots"), GameListing("j", "Jackpots", "slots")]
    await store.games.take_listing(provider_id, listing, enabled_for_new=True)
    game_ids = {game.game_ref: game.game_id for game in await store.games.all(provider_id)}
    await store.games.set(game_ids["j"], jackpot_wins=True)
    scene.games += [game_ids["g"], game_ids["j"]]
    for player in scene.players:
        for game_ref, known in (("g", peer.sessions), ("j", peer.jackpots)):
            session = _session(scene, provider_id, player, game_id=game_ids[game_ref])
            if scene.chance.fraction() < scene.dials.short_sessions:
                session = _short(scene, session)
            await store.sessions.open(session)
            peer.currencies[session.session_id] = session.currency
            known.append(session.session_id)
    scene.sessions[provider_id] = peer.sessions


def _short(scene: Scene, session: Session) -> Session:
    """End the session while bets are placed."""
    ends_s = scene.chance.fraction() * scene.dials.placed_s
    scene.restrictions.append(
        Restriction("a session that is over", ends_s - HOLDS_AFTER_S, session_id=session.session_id)
    )
    return replace(session, expires_ms=START_MS + round(ends_s * 1000))


def _told(scene: Scene, provider_id: int) -> Callable[[str, str, int], None]:
    """Return a function that logs a provider's answers and checks each success."""

    def told(ref: str, verb: str, code: int) -> None:
        scene.write("told", ref, verb, code)
        if code == 1 and verb.startswith("pay-in"):
            scene.watch.told_yes(provider_id, ref)

    return told


def _session(scene: Scene, provider_id: int, player: tuple[int, int, str], *, game_id: int) -> Session:
    casino_id, player_id, ref = player
    return Session(
        session_id=f"{provider_id}-{game_id}-{casino_id}-{ref}",
        provider_id=provider_id,
        casino_id=casino_id,
        player_id=player_id,
        player_ref=ref,
        game_id=game_id,
        currency=scene.casinos[casino_id].currencies[ref],
        demo=False,
        min_bet=1,
        max_bet=MOST,
        opened_ms=START_MS,
        expires_ms=START_MS + SESSION_MS,
    )
