"""A map that never grows past its bound."""

from __future__ import annotations

from croupier.kit.recent_map import RecentMap


def test_the_entry_that_was_put_longest_ago_makes_room() -> None:
    kept: RecentMap[str, int] = RecentMap(2)
    for number, key in enumerate("aba"):
        kept.put(key, number)
    kept.put("c", 3)
    assert [kept.get(key) for key in "abc"] == [2, None, 3]
    assert len(kept) == 2


def test_an_entry_can_be_dropped_twice() -> None:
    kept: RecentMap[str, int] = RecentMap()
    kept.put("a", 1)
    for _ in range(2):
        kept.drop("a")
    assert "a" not in kept
