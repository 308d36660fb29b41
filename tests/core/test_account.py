"""Roles include each other in their order."""

from __future__ import annotations

import pytest

from croupier.core.account import Role

ORDER = (Role.LOOK, Role.OPERATE, Role.DECIDE, Role.ADMINISTER)


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_those_before_it_may_and_no_more(role: Role) -> None:
    assert [role.may(needed) for needed in ORDER] == [ORDER.index(needed) <= ORDER.index(role) for needed in ORDER]


def test_the_stored_names_stay() -> None:
    assert [role.value for role in Role] == ["look", "operate", "decide", "administer"]
