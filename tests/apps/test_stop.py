"""How long a worker that stops hears out what is in flight."""

from __future__ import annotations

from croupier.apps.worker import END_S, FINISH_S, WRITE_S, Stop


class _Watch:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_requests_and_calls_share_the_time_from_the_signal_on() -> None:
    """A balance call at a casino that hangs must leave time to give back: killed, a worker counts as crashed."""
    watch = _Watch()
    stop = Stop(watch)
    stop.signalled()
    watch.now_s += 1.5
    assert stop.left_s() == FINISH_S - 1.5
    watch.now_s += FINISH_S
    assert stop.left_s() == 0.0


def test_a_second_signal_gives_no_more_time() -> None:
    watch = _Watch()
    stop = Stop(watch)
    stop.signalled()
    watch.now_s += 3
    stop.signalled()
    assert stop.left_s() == FINISH_S - 3


def test_a_server_that_ends_without_a_signal_has_all_of_it() -> None:
    assert Stop(_Watch()).left_s() == FINISH_S


def test_what_follows_fits_before_the_worker_is_killed() -> None:
    """Requests and calls, the last look of the poller, what is being written; and a second for the rest."""
    assert FINISH_S + 2 * WRITE_S + 1 < END_S
