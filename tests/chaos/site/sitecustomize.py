"""Kills or stops the process that passes a named point, once. First on PYTHONPATH of a hub under test.

The file that TEST_KILL_AT names holds the order: `{"at": POINT, "n": N, "whom": WHOM, "postgres": PID or null}`. At the
N-th passing, counted over all processes, whoever passes takes the order (it is renamed, so that this happens once, and
says who took it when) and ends: itself (`worker`), or its whole process group, which is the hub with its supervisor
(`hub`); `pause` only stops it, `nobody` lets it go on. The file that TEST_POINTS names, if there is one, gets a line for
every passing.
"""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

ORDERS = os.environ.get("TEST_KILL_AT")
PASSED = os.environ.get("TEST_POINTS")


def taken(orders: Path, name: str) -> dict | None:
    """The order, if it is for this passing and nobody else took it."""
    try:
        with orders.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            order = json.loads(file.read())
            if order["at"] != name or not orders.exists():
                return None
            order["n"] -= 1
            taking = order["n"] <= 0
            if taking:
                order |= {"pid": os.getpid(), "at_s": time.time()}
            file.seek(0)
            file.truncate()
            file.write(json.dumps(order))
            file.flush()
            if taking:
                orders.rename(orders.with_suffix(".taken"))
            return order if taking else None
    except (FileNotFoundError, ValueError):
        return None


def note(name: str) -> None:
    """Append the point to the file that wants them all."""
    try:
        descriptor = os.open(str(PASSED), os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return
    os.write(descriptor, f"{name}\n".encode())
    os.close(descriptor)


async def passed(name: str) -> None:
    if PASSED:
        note(name)
    order = taken(Path(str(ORDERS)), name)
    if order is None:
        return
    if order["postgres"]:
        os.kill(order["postgres"], signal.SIGKILL)
    if order["whom"] == "hub":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    if order["whom"] != "nobody":
        os.kill(os.getpid(), signal.SIGSTOP if order["whom"] == "pause" else signal.SIGKILL)


if ORDERS:
    from croupier.kit.point import set_hook

    set_hook(passed)
