"""The table of points and operations is complete: it matches the source, and every unpassed pair has its reason."""

from tests.chaos.operations import OPERATIONS
from tests.chaos.points import PASSED, named_points, pairs, unpassed


def test_every_point_of_the_source_is_killed_at_in_some_operation() -> None:
    assert {point for point, _ in pairs()} == set(named_points())


def test_every_pair_is_either_killed_at_or_has_a_reason() -> None:
    everything = {(point, operation.name) for point in named_points() for operation in OPERATIONS}
    assert set(pairs()) | set(unpassed()) == everything
    assert not set(pairs()) & set(unpassed())


def test_every_operation_has_its_row() -> None:
    assert set(PASSED) == {operation.name for operation in OPERATIONS}
