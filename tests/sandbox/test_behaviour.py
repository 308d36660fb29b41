"""The dial: words, how they combine, and which rule decides."""

import pytest

from croupier.sandbox.behaviour import HONEST, AnswerForm, BehaviourRule, Dial, Lie, Repeat, UnknownBehaviour, parse


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("inline", {"answer": AnswerForm.INLINE, "accepts": 0}),
        ("late:3", {"accept_after_s": 3.0}),
        ("books_late:0.5", {"books_after_s": 0.5}),
        ("silent", {"accepts": 0, "repeat": Repeat.PLAIN}),
        ("lost", {"answer": AnswerForm.HANG, "books": False, "accepts": 0}),
        ("lost:cut", {"answer": AnswerForm.CUT, "books": False}),
        ("answer_lost:cut", {"answer": AnswerForm.CUT, "books": True, "accepts": 1}),
        ("refuse:103802", {"answer": AnswerForm.REFUSE, "code": 103802, "books": False, "accepts": 0}),
        ("refuse_accept:103779", {"answer": AnswerForm.ACK, "code": 103779, "books": False, "accepts": 1}),
        ("error500", {"answer": AnswerForm.ERROR, "books": False}),
        ("error500:after", {"answer": AnswerForm.ERROR, "books": True, "accepts": 0}),
        ("rubbish:huge+books", {"answer": AnswerForm.HUGE, "books": True, "accepts": 0}),
        ("rubbish:html+accepts", {"answer": AnswerForm.HTML, "books": True, "accepts": 1}),
        ("twice", {"accepts": 2}),
        ("contradict:refusal", {"lie": Lie.THEN_REFUSAL}),
        ("wrong103804:bare+unbooked", {"answer": AnswerForm.EXISTS, "repeat": Repeat.BARE, "books": False}),
        ("status:404", {"answer": AnswerForm.STATUS, "code": 404}),
    ],
)
def test_what_the_words_mean(words: str, changed: dict[str, object]) -> None:
    behaviour = parse(words)
    assert {name: getattr(behaviour, name) for name in changed} == changed


@pytest.mark.parametrize(
    "words", ["", "nonsense", "late", "late:soon", "rubbish:ack", "error500:now", "contradict:all"]
)
def test_a_word_that_is_not_known_is_refused(words: str) -> None:
    with pytest.raises(UnknownBehaviour):
        parse(words)


def test_the_newest_rule_that_fits_decides_and_a_counted_one_ends() -> None:
    dial = Dial()
    dial.turn(BehaviourRule(parse("silent")))
    dial.turn(BehaviourRule(parse("twice"), player="anna", remaining=1))
    dial.turn(BehaviourRule(parse("inline"), kind=4))
    assert dial.choose("payments/make", "anna", 4).words == "inline"
    assert dial.choose("payments/make", "anna", -1).words == "twice"
    assert dial.choose("payments/make", "anna", -1).words == "silent"
    assert [rule.behaviour.words for rule in dial.rules()] == ["silent", "inline"]
    dial.clear()
    assert dial.choose("payments/make", "anna", -1) is HONEST


def test_a_rule_without_a_path_speaks_of_makes_only() -> None:
    dial = Dial()
    dial.turn(BehaviourRule(parse("silent")))
    assert dial.choose("payments/info") is HONEST
    dial.turn(BehaviourRule(parse("slow:1"), path="*"))
    assert dial.choose("payments/info").words == "slow:1"
    dial.turn(BehaviourRule(parse("status:500"), path="payments/info"))
    assert dial.choose("payments/info").words == "status:500"
