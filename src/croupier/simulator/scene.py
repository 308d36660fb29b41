"""The scene of one run: the stage, the dials, everybody who plays, the log, and how a hub comes to life on it.

Owns: the record that the parts of a run share. Never: what happens (run, mischief).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from croupier.core.bet import Bet
from croupier.core.draft import Decision
from croupier.kit.chance import SeededChance
from croupier.kit.virtual import VirtualClock
from croupier.simulator.dials import Dials
from croupier.simulator.faults import Around, FaultyDb, FaultyWire, Weather
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.sim_provider import SimProvider
from croupier.simulator.stage import START_MS, Running, Stage, settings_for


@dataclass(slots=True)
class Scene:
    """Everything that plays in one run."""

    stage: Stage
    dials: Dials
    chance: SeededChance
    weather: Weather = field(default_factory=Weather)
    casinos: dict[int, SimCasino] = field(default_factory=dict)
    providers: dict[int, SimProvider] = field(default_factory=dict)
    sessions: dict[int, list[str]] = field(default_factory=dict)
    """Session ids by provider."""
    players: list[tuple[int, int, str]] = field(default_factory=list)
    """Casino, player id, player's id at the casino: for cashbacks."""
    asked_cashbacks: dict[tuple[int, str], int] = field(default_factory=dict)
    """Casino and ref to the amount that a person asked for."""
    odd: list[str] = field(default_factory=list)
    """Violations seen while things happened."""
    log: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    names: dict[int, str] = field(default_factory=dict)
    """BetId to a name that is the same in every run of the seed."""
    kill_at: dict[str, int] = field(default_factory=dict)
    """Points at which the process that passes dies, and after how many passes."""

    @property
    def around(self) -> Around:
        """What is around everybody."""
        return Around(self.stage.clock, self.chance, self.dials, self.weather)

    def write(self, *words: object) -> None:
        """One line of the log."""
        self.log.append(f"{self.stage.loop.time():.3f} {' '.join(map(str, words))}")


async def start_hub(scene: Scene) -> Running:
    """A hub process behind the weather, whose commits the log hears of."""
    stage = scene.stage
    clock = VirtualClock(stage.loop, START_MS)
    wire = FaultyWire(stage.network, scene.around)
    db = FaultyDb(stage.db, stage.one_at_a_time, scene.around)
    running = await stage.start_hub(settings_for(), wire, db=db, clock=clock, ack_grace_s=0.3, sweep_s=2.0, poll_s=0.25)
    running.hub.train.on_commit(lambda decision: _note(scene, decision))
    return running


def _note(scene: Scene, decision: Decision[Any]) -> None:
    """A commit: into the log, and into what was seen."""
    after = decision.after
    name = after.bet_ref if isinstance(after, Bet) else after.ref
    scene.names[after.subject_id] = name
    scene.write("commit", name, decision.event, after.state.value)
    before = decision.before.payments if decision.before else {}
    for kind, payment in after.payments.items():
        old = before.get(kind)
        if old is None:
            scene.write("payment", name, kind.value)
        if old is None or old.state is not payment.state:
            scene.seen[f"{kind.value} {payment.state.value}"] += 1
    scene.seen[f"bet {after.state.value}" if isinstance(after, Bet) else f"cashback {after.state.value}"] += 1
