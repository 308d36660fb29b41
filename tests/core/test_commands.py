"""What a launch is unless somebody says otherwise: real money, on a large screen."""

from __future__ import annotations

from dataclasses import fields

from croupier.core.commands import LaunchOrder


def test_a_launch_is_for_real_money_unless_it_says_demo() -> None:
    told = {f.name: f.default for f in fields(LaunchOrder)}
    assert (told["demo"], told["mobile"]) == (False, False)
