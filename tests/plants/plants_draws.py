"""Plants of the feed's draws: no money passes there, so the simulator sees none of them, and each has its own test.

Owns: these plants. They stand in no table of docs/proof, which is about money.
"""

from __future__ import annotations

from tests.plants.planting import Plant

_CORE = "croupier.core.draws"
_FLOW = "croupier.flows.publish_draws"
_PUBLISHER = "croupier.feed.publisher"
_STREAMS = "croupier.store.feed.streams"
_DRAWS = "croupier.store.feed.draws"
_IN_CORE = "tests/core/test_draws.py::"
_PUBLISHED = "tests/flows/test_publish_draws.py::"
_NUMBERED = "tests/feed/test_publisher.py::"
_OLD = "tests/feed/test_retention.py::"

DRAW_PLANTS = (
    Plant(
        "finished-draw-reopens",
        "a draw that is finished runs again",
        _CORE,
        (("DrawState.FINISHED: frozenset({DrawState.FINISHED}),", "DrawState.FINISHED: frozenset(DrawState),"),),
        "feed.md 4.1",
        _IN_CORE + "test_what_contradicts_the_known_draw_is_a_conflict",
    ),
    Plant(
        "versions-fall",
        "an older version is taken over a newer one",
        _CORE,
        (("    if update.version < known.version:\n", "    if False:\n"),),
        "feed.md 4.1",
        _IN_CORE + "test_whatever_comes_in_whatever_order_the_law_holds",
    ),
    Plant(
        "results-before-betting-closed",
        "results are published while bets are taken",
        _CORE,
        (("    if update.results is not None and update.results != before and not", "    if False and not"),),
        "feed.md 4.1",
        _IN_CORE + "test_what_is_wrong_in_itself_is_no_conflict",
    ),
    Plant(
        "another-providers-type-taken",
        "a provider publishes draws of another one's game type",
        _FLOW,
        (("owner is None or owner.provider_id != publication.provider_id", "owner is None"),),
        "feed.md 4.1",
        _PUBLISHED + "test_a_game_type_that_moves_to_another_provider_is_refused_to_the_first",
    ),
    Plant(
        "partial-batch-taken",
        "the draws of a publication are taken although one of its jackpots is refused",
        _FLOW,
        (
            (
                "            await _take(hub, tx, publication)\n    except _NotTaken as refused:\n        return refused.answer\n",
                "            try:\n                await _take(hub, tx, publication)\n            except _NotTaken as refused:\n"
                "                return refused.answer\n    finally:\n        pass\n",
            ),
        ),
        "feed.md 4.1",
        _PUBLISHED + "test_one_bad_element_keeps_all_of_a_publication_out",
    ),
    Plant(
        "known-version-with-other-contents-taken",
        "a version that was taken is answered as a repeat whatever it holds now",
        _FLOW,
        (("        if digest == digest_of(draw):\n", "        if digest is not None:\n"),),
        "feed.md 4.1",
        _PUBLISHED + "test_only_one_of_two_contents_of_a_version_is_ever_taken",
    ),
    Plant(
        "number-reused-after-a-take-over",
        "the next publisher gives the last number again",
        _PUBLISHER,
        (
            (
                "            self._held[game_type] = _Held(sequence)\n",
                "            self._held[game_type] = _Held(sequence - 1)\n",
            ),
        ),
        "feed.md 3.5",
        _NUMBERED + "test_one_of_two_publishes_and_the_other_goes_on_with_the_next_number",
    ),
    Plant(
        "lost-lease-numbers",
        "a publisher that slept through its lease numbers snapshots beside its successor",
        _STREAMS,
        (
            (
                "where s.game_type = n.game_type and s.owner = $1 and s.sequence = n.sequence - 1",
                "where s.game_type = n.game_type",
            ),
            ("sequence = n.sequence, snapshot", "sequence = s.sequence + 1 + 0 * length($1), snapshot"),
        ),
        "feed.md 3.5",
        _NUMBERED + "test_one_of_two_publishes_and_the_other_goes_on_with_the_next_number",
    ),
    Plant(
        "change-waits-for-its-turn",
        "a change is shown with the next regular snapshot instead of at once",
        _PUBLISHER,
        (("if held.change != changes[t] or now_ms >= held.due_ms]", "if now_ms >= held.due_ms]"),),
        "feed.md 3.5",
        _NUMBERED + "test_every_half_second_a_snapshot_and_one_at_once_on_a_change",
    ),
    Plant(
        "running-draw-deleted",
        "a draw that never ended is deleted with the old ones",
        _DRAWS,
        (
            (
                "and ended_ms is not null and ended_ms < $1 and starts_ms < $1",
                "and coalesce(ended_ms, 0) < $1 and starts_ms < $1",
            ),
        ),
        "feed.md 4.1",
        _OLD + "test_what_ended_long_ago_goes_and_what_is_needed_stays",
    ),
    Plant(
        "deleted-draw-comes-back",
        "a draw that was deleted is taken as a new one",
        _FLOW,
        (("    _refuse_deleted(publication, known, held)\n", ""),),
        "feed.md 4.1",
        _OLD + "test_a_draw_that_was_deleted_does_not_come_back",
    ),
)
"""All of them."""
