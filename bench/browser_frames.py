"""Frames of the four draw games in a real browser: script per frame, and the longest task, in a trace of 10 s each.

Run it with `.venv/bin/python -m bench.browser_frames`: it starts a hub, a casino, a studio and a headless Chromium, opens each game in the
casino's page, bets, and traces the renderer while a draw is played and shown. Everything in the page counts: the casino's page, the
frame and the game share the renderer's main thread.

Script is the processor time of the outermost script events of a frame, which other programs on the machine do not stretch; a task is measured
in processor time too, and its wall time stands beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from croupier.apps.wiring import open_hub
from croupier.apps.world import local_world
from tests.browser.chromium import CHROMIUM, Browser, Page, chromium
from tests.browser.conftest import FRAME, PLAY, Scene, Site
from tests.browser.keeper import kept
from tests.conftest import make_home, remove_home

GAMES = ("Pebble Keno", "Harbour Lights", "Heron Crash", "Drift Poker")
SCRIPT_MS, TASK_MS = 4.0, 50.0
SCRIPTS = frozenset(
    {
        "FunctionCall",
        "EvaluateScript",
        "FireAnimationFrame",
        "TimerFire",
        "RunMicrotasks",
        "BlinkScheduler_PerformMicrotaskCheckpoint",
        "v8.callFunction",
        "EventDispatch",
    }
)
IDLE = "FireIdleCallback"
"""Script that the browser runs where no frame waits: it counts as a task, and in no frame."""
CATEGORIES = "devtools.timeline,disabled-by-default-devtools.timeline,toplevel,v8"
FRAME_BEGINS = frozenset({"BeginCommitCompositorFrame"})
TASKS = frozenset({"RunTask", "ThreadControllerImpl::RunTask"})


@dataclass(frozen=True)
class Found:
    """The figures of one game, in milliseconds."""

    game: str
    frames: int
    script_mean: float
    script_p99: float
    script_max: float
    task_cpu: float
    task_wall: float

    @property
    def good(self) -> bool:
        return self.script_p99 < SCRIPT_MS and self.task_cpu <= TASK_MS


def outermost(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events that lie in no other one of the list."""
    kept_events: list[dict[str, Any]] = []
    end = 0.0
    for event in sorted(events, key=lambda e: (e["ts"], -e.get("dur", 0))):
        if event["ts"] >= end:
            kept_events.append(event)
            end = event["ts"] + event.get("dur", 0)
    return kept_events


def judged(game: str, events: list[dict[str, Any]]) -> Found:
    """The figures of a trace. The busiest main thread of a renderer is the page's."""
    named = {
        (e["pid"], e["tid"]) for e in events if e.get("name") == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    whole = [e for e in events if e.get("ph") == "X" and (e["pid"], e["tid"]) in named]
    by_thread = {key: [e for e in whole if (e["pid"], e["tid"]) == key] for key in named}
    main = max(by_thread.values(), key=lambda some: sum(e["name"] in SCRIPTS for e in some))
    place = (main[0]["pid"], main[0]["tid"])
    begins = sorted(e["ts"] for e in events if e.get("name") in FRAME_BEGINS and (e["pid"], e["tid"]) == place)
    scripts = [e for e in outermost(e for e in main if e["name"] in {*SCRIPTS, IDLE}) if e["name"] != IDLE]
    sums = [
        sum(e.get("tdur", e.get("dur", 0)) for e in scripts if begin <= e["ts"] < after) / 1000
        for begin, after in itertools.pairwise(begins)
    ]
    tasks = [e for e in main if e["name"] in TASKS]
    return Found(
        game, len(sums), statistics.mean(sums), sorted(sums)[int(len(sums) * 0.99)], max(sums),
        max(e.get("tdur", 0) for e in tasks) / 1000, max(e["dur"] for e in tasks) / 1000,
    )  # fmt: skip


async def traced(browser: Browser, page: Page, seconds: float) -> list[dict[str, Any]]:
    """The events of the whole browser in these seconds."""
    browser.traced.clear()
    browser.trace_done.clear()
    await browser.send(
        "Tracing.start", {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": CATEGORIES.split(",")}}
    )
    await asyncio.sleep(seconds)
    await browser.send("Tracing.end", {})
    await browser.trace_done.wait()
    assert page.session
    return list(browser.traced)


async def play(scene: Scene, game: str, seconds: float) -> Found:
    """Open a game for a player, bet, and trace from the end of betting on."""
    page = await scene.browser.page()
    await page.look(1280, 900, still=False)
    await page.open(scene.world.casino_url + "/")
    await page.until("document.querySelectorAll('.card .play').length", FRAME)
    await scene.open_game(page, game, button="demo")
    await page.until("document.querySelector('#bet')", PLAY)
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("document.querySelector('.number, .option, #manual').click()", PLAY)
    await page.click("#bet", PLAY)
    await page.until("document.body.dataset.phase !== 'betting'", PLAY)
    found = judged(game, await traced(scene.browser, page, seconds))
    await page.close()
    return found


async def run(seconds: float, pace: int) -> list[Found]:
    """Measure every game, one after the other."""
    home = make_home()
    async with AsyncExitStack() as stack:
        stack.callback(remove_home, home)
        profile = Path(stack.enter_context(TemporaryDirectory(prefix="croupier-frames-")))
        stack.enter_context(kept(home, profile))
        world = await stack.enter_async_context(local_world(home, log=home / "hub.log"))
        await world.ask(f"{world.studio_url}/_sandbox/draws/start", {"pace": pace})
        browser = await stack.enter_async_context(chromium(profile))
        async with open_hub(world.settings):
            scene = Scene(world, browser, Site(""), Site(""))
        return [await play(scene, game, seconds) for game in GAMES]


def main() -> None:
    """Print a table, or JSON. The exit code is 1 if a figure is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pace", type=int, default=2, help="how many times as fast draws run")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("Chromium is not installed (Debian: apt install chromium)")
    found = asyncio.run(run(asked.seconds, asked.pace))
    if asked.json:
        print(json.dumps([vars(one) for one in found], indent=1))
    else:
        print(
            "| game | frames | script mean | script p99 | script max | longest task, processor | longest task, wall |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for one in found:
            print(
                f"| {one.game} | {one.frames} | {one.script_mean:.2f} | {one.script_p99:.2f} | {one.script_max:.2f} | "
                f"{one.task_cpu:.1f} | {one.task_wall:.1f} |"
            )
    sys.exit(0 if all(one.good for one in found) else 1)


if __name__ == "__main__":
    main()
