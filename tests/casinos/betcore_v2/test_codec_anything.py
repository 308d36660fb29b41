"""Whatever bytes come at whatever status: no reader raises, and no meaning appears without its code."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from croupier.casinos.betcore_v2 import codec
from croupier.casinos.betcore_v2.messages import BETS, CASHBACKS, Subject
from croupier.core.commands import Order
from croupier.core.readings import (
    CloseDone,
    Exists,
    InfoList,
    No,
    Received,
    Unknown,
    Yes,
)
from croupier.kit.strictjson import BadField, BadJson
from tests.casinos.betcore_v2.samples import CASHBACK, CASINO, REFUSALS, STAKE, WHOLE, body

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["12.50", "t-1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "Balance"]), inner, max_size=6)
    ),
    max_leaves=8,
)
codes = st.sampled_from([200, 103804, 500, "200", None, *REFUSALS]) | st.integers(-10, 110000)
odd_envelopes = st.builds(body, codes, json_values | st.just(WHOLE) | st.just([WHOLE]), json_values)
anything = st.binary(max_size=300) | odd_envelopes
statuses = st.integers(0, 999)


def code_in(said: bytes) -> object:
    """The ErrorCode, read by another reader than the one that is tested."""
    try:
        fields = json.loads(said)
    except ValueError:
        return None
    code = fields.get("ErrorCode") if isinstance(fields, dict) else None
    return code if type(code) is int else None


@given(statuses, anything, st.sampled_from([STAKE, CASHBACK]))
def test_no_answer_raises_and_none_is_a_yes_or_no_without_its_code(status: int, said: bytes, order: Order) -> None:
    ack = codec.read_ack(status, said, CASINO, order=order)
    code = code_in(said)
    if isinstance(ack, (Received, Yes)):
        assert code == 200
    if isinstance(ack, Exists):
        assert code == 103804
    if isinstance(ack, No):
        assert (ack.code, ack.reason) == (code, REFUSALS[ack.code])
    if not isinstance(ack, Unknown):
        assert status < 500


@given(statuses, anything)
def test_no_answer_to_any_other_call_raises_or_says_more_than_its_code(status: int, said: bytes) -> None:
    code = code_in(said)
    if codec.read_list_ack(status, said, CASINO) == Received():
        assert code == 200
    if isinstance(codec.read_info(status, said, CASINO, bet_id=5), InfoList):
        assert code in (200, 103805)
    if codec.read_close(status, said, CASINO) == CloseDone():
        assert code == 200
    for reading in (codec.read_auth(status, said, CASINO), codec.read_balance(status, said, CASINO)):
        if not isinstance(reading, Unknown):
            assert code in REFUSALS if isinstance(reading, No) else code == 200


@given(anything, st.sampled_from([BETS, CASHBACKS]))
def test_an_accept_is_read_or_refused_and_a_yes_needs_its_code(said: bytes, subject: Subject) -> None:
    try:
        outcome = codec.read_accept(said, CASINO, subject).outcome
    except (BadJson, BadField):
        return
    code = code_in(said)
    assert isinstance(outcome, Yes) == (code == 200)
    assert isinstance(outcome, Exists) == (code == 103804)
