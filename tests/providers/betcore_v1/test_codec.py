"""Wire bytes become exact commands or a refusal that names the field; answers go out to the byte (provider.md 2 to 4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core.commands import Answer, GameListing, LaunchOrder, PayIn, PayOut, Refund
from croupier.core.money import CURRENCIES, MAX_MINOR, exponent
from croupier.core.refusals import Refusal
from croupier.kit import plain_json, strictjson
from croupier.kit.names import problem_of
from croupier.kit.strictjson import BadField, BadJson
from croupier.providers.betcore_v1 import codec
from croupier.providers.betcore_v1.messages import MAX_BODY_BYTES, MAX_LIST_BYTES, MAX_URL_CHARS, StakeAndWinBody
from croupier.providers.betcore_v1.outcomes import FAULTS, RequestFault

FOLDER = Path(__file__).parents[2] / "vectors/betcore_v1"
Command = PayIn | PayOut | Refund
READERS: dict[str, Callable[[int, str, bytes], Command]] = {
    "pay-in": codec.read_pay_in,
    "pay-out": codec.read_pay_out,
    "pay-in-out": codec.read_pay_in_out,
    "refund": codec.read_refund,
}


def vectors(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


REQUESTS = vectors("requests.json")


def called(row: dict[str, Any]) -> str:
    name: str = row["name"]
    return name


# --- requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", REQUESTS["good"], ids=called)
def test_a_good_body_gives_its_command(row: dict[str, Any]) -> None:
    command = READERS[row["call"]](7, REQUESTS["session"], row["body"].encode())
    wanted = {"provider_id": 7, "session_id": REQUESTS["session"], **row["command"]}
    assert {name: getattr(command, name) for name in wanted} == wanted


def test_a_pay_in_has_no_win_even_if_one_is_sent_along() -> None:
    """The verb decides, not the fields that happen to be there."""
    body: StakeAndWinBody = {"betId": "b", "gameRoundId": "r", "betAmount": "1", "winAmount": "5"}
    assert codec.read_pay_in(1, "s", json.dumps(body).encode()) == PayIn(1, "s", "b", "r", "1")


@pytest.mark.parametrize("row", REQUESTS["wrongField"], ids=called)
def test_a_wrong_field_is_named(row: dict[str, Any]) -> None:
    with pytest.raises(BadField) as caught:
        READERS[row["call"]](7, REQUESTS["session"], row["body"].encode())
    assert caught.value.field == row["field"]


@pytest.mark.parametrize("row", REQUESTS["unreadable"], ids=called)
@pytest.mark.parametrize("call", sorted(READERS))
def test_an_unreadable_body_is_refused_by_every_call(call: str, row: dict[str, Any]) -> None:
    with pytest.raises(BadJson):
        READERS[call](7, REQUESTS["session"], row["body"].encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"betId":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"betId":"b","x":' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"betAmount":' + b"1" * 10_000 + b"}",
        b'{"betId":"' + b"x" * MAX_BODY_BYTES + b'"}',
    ],
    ids=["not UTF-8", "byte order mark", "too deep", "10,000 digits", "too large"],
)
def test_hostile_bodies_are_unreadable(body: bytes) -> None:
    with pytest.raises(BadJson):
        codec.read_refund(1, "s", body)


@pytest.mark.parametrize("good", ["s", "x" * 128, "сессия 1"])
def test_a_session_in_the_path_is_any_printable_text(good: str) -> None:
    assert codec.read_session_id(good) == good


@pytest.mark.parametrize("bad", ["", "x" * 129, "a\x00b", "a\nb", "\ud800", "\u202e"])
def test_a_session_that_no_row_can_hold_is_refused(bad: str) -> None:
    with pytest.raises(BadField) as caught:
        codec.read_session_id(bad)
    assert caught.value.field == "sessionId"


@pytest.mark.parametrize("field", ["betId", "gameRoundId", "sessionId"])
@pytest.mark.parametrize("odd", ["b ", " b", "b\u200b", "b\xa0", "\ufeffb", "b\x85", "b\n", "b\ufe0f", "\u2028b"])
def test_an_id_that_looks_like_another_is_refused_by_its_field(field: str, odd: str) -> None:
    body = {"betId": "b", "gameRoundId": "r", "sessionId": "s", "betAmount": "1"} | {field: odd}
    with pytest.raises(BadField) as caught:
        codec.read_pay_in(1, "s", json.dumps(body).encode())
    assert caught.value.field == field


def test_an_id_may_hold_a_character_that_only_a_newer_python_knows() -> None:
    """U+1FAE8 came with Unicode 15: Python 3.11 has no name for it, and its workers take it like the others."""
    body = {"betId": "b\U0001fae8", "gameRoundId": "r", "betAmount": "1"}
    assert codec.read_pay_in(1, "s", json.dumps(body).encode()).bet_ref == "b\U0001fae8"


field_values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=140) | st.just("s")
)
bodies = st.dictionaries(
    st.sampled_from(["betId", "gameRoundId", "sessionId", "betAmount", "winAmount", "winOdd", "x"]),
    field_values | st.lists(field_values, max_size=2) | st.sampled_from(["1", "12.50", 3]),
)


@given(call=st.sampled_from(sorted(READERS)), body=st.binary(max_size=300) | bodies.map(lambda body: json.dumps(body).encode()))  # fmt: skip
def test_any_bytes_give_a_command_or_a_named_refusal(call: str, body: bytes) -> None:
    try:
        command = READERS[call](1, "s", body)
    except BadField as refused:
        assert refused.field
        return
    except BadJson as refused:
        assert refused.why
        return
    assert 1 <= len(command.bet_ref) <= 128
    assert problem_of(command.bet_ref) is None


@given(minor=st.integers(0, 10**15), digits=st.integers(0, 8), quoted=st.booleans())
def test_an_amount_arrives_with_its_own_digits(minor: int, digits: int, quoted: bool) -> None:
    """Text or number, the command holds the characters that were sent: no float was in between."""
    text = f"{Decimal(minor).scaleb(-digits):f}"
    literal = f'"{text}"' if quoted else text
    body = f'{{"betId":"b","gameRoundId":"r","betAmount":{literal}}}'.encode()
    if len(text.partition(".")[0]) <= 15:
        assert codec.read_pay_in(1, "s", body).stake == text


# --- answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", vectors("answers.json"), ids=called)
def test_an_answer_is_written_to_the_byte(row: dict[str, Any]) -> None:
    told = {**row["answer"], "refusal": row["answer"]["refusal"] and Refusal(row["answer"]["refusal"])}
    reply = codec.encode(Answer(**told))
    assert (reply.status, reply.body.decode()) == (row["status"], row["body"])
    assert reply.headers.get("Retry-After") == row["retryAfter"]


@given(minor=st.integers(-MAX_MINOR, MAX_MINOR), currency=st.sampled_from(sorted(CURRENCIES)))
def test_a_balance_is_a_json_number_with_all_its_decimals(minor: int, currency: str) -> None:
    body = codec.encode(Answer(None, minor, currency)).body
    balance = json.loads(body, parse_float=Decimal, parse_int=Decimal)["balance"]
    assert isinstance(balance, Decimal)
    assert balance.scaleb(exponent(currency)) == minor
    assert balance.as_tuple().exponent == -exponent(currency)


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_can_be_answered(refusal: Refusal) -> None:
    reply = codec.encode(Answer(refusal))
    assert json.loads(reply.body)["_responseCode"] > 1
    assert reply.status >= 400


def test_all_unauthorized_answers_are_one_and_the_same() -> None:
    """Whatever a flow knew, nothing of it shows beside code 8 but what it deliberately tells."""
    assert codec.encode(Answer(Refusal.UNAUTHORIZED, field="X-Sign")) == codec.encode(Answer(Refusal.UNAUTHORIZED))


def test_a_bad_field_is_told_by_name_in_words() -> None:
    reply = codec.encode_bad_request(BadField("betAmount", "is missing"))
    assert reply.status == 400
    assert json.loads(reply.body) == {"_responseCode": 6, "field": "betAmount", "message": "betAmount is missing"}


def test_an_unreadable_body_is_told_without_a_field() -> None:
    reply = codec.encode_bad_request(BadJson("empty"))
    assert reply.status == 400
    assert json.loads(reply.body) == {"_responseCode": 6, "message": "the body cannot be read: empty"}


def test_an_oversized_body_is_413() -> None:
    with pytest.raises(BadJson) as caught:
        codec.read_refund(1, "s", b'"' + b"x" * MAX_BODY_BYTES + b'"')
    assert codec.encode_bad_request(caught.value).status == 413


@pytest.mark.parametrize("fault", list(RequestFault))
def test_every_fault_can_be_answered(fault: RequestFault) -> None:
    reply = codec.encode_fault(fault)
    assert reply.status == FAULTS[fault].status
    assert json.loads(reply.body)["_responseCode"] == FAULTS[fault].code
    assert "Retry-After" not in reply.headers, "what was wrong stays wrong"


# --- launch -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", vectors("launches.json"), ids=called)
def test_a_launch_is_written_to_the_byte(row: dict[str, Any]) -> None:
    order = {**row["order"], "button_amounts": tuple(row["order"].get("button_amounts", ()))}
    assert codec.encode_launch(LaunchOrder(**order)).decode() == row["body"]


@pytest.mark.parametrize("text", ["", "-1", "1e3", "NaN", "1,5", "1}", '1,"x":2'])
def test_a_limit_that_is_no_amount_is_our_bug_and_never_sent(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        codec.encode_launch(LaunchOrder("g", "p", "s", "EUR", "en", min_bet=text, max_bet="1"))


@pytest.mark.parametrize(
    "uri",
    [
        "https://games.example/f?token=a%20b&x=[1]#top",
        "https://games.example:8443/",
        "https://10.0.0.1/f",
        "https://[2001:db8::1]/f",
        "https:\\/\\/games.example\\/f",
    ],
)
def test_a_frame_is_an_https_address(uri: str) -> None:
    body = f'{{"frameUri":"{uri}"}}'.encode()
    assert codec.read_frame_uri(body, allow_http=False) == uri.replace("\\/", "/")


@pytest.mark.parametrize(
    "uri",
    [
        "", "games.example/f", "//games.example/f", "/f", "https://", "https:///f", "https:games.example",
        "javascript:alert(1)", "data:text/html,x", "ftp://games.example/", "http://games.example/f",
        "https://user:pw@games.example/", "https://games.example\\\\@evil.example/", "https://a b.example/",
        "https://games.example/\\u0000", "https://games.example/\\n", 'https://games.example/\\"onload=x',
        "https://games.example/<script>", "https://gämes.example/", "https://games.example:99999/",
        "https://games.example:x/", "https://[::1/f", "https://games.example/" + "x" * MAX_URL_CHARS,
    ],
)  # fmt: skip
def test_anything_else_is_no_frame(uri: str) -> None:
    with pytest.raises((BadField, BadJson)):
        codec.read_frame_uri(f'{{"frameUri":"{uri}"}}'.encode(), allow_http=False)


def test_plain_http_is_a_frame_only_where_it_is_allowed() -> None:
    body = b'{"frameUri":"http://127.0.0.1:9000/f"}'
    assert codec.read_frame_uri(body, allow_http=True) == "http://127.0.0.1:9000/f"
    with pytest.raises(BadField, match="https"):
        codec.read_frame_uri(body, allow_http=False)


@pytest.mark.parametrize("body", [b"{}", b'{"frameUri":null}', b'{"frameUri":5}', b"[]", b"", b"<html>", b'"https://a.example"'])  # fmt: skip
def test_an_answer_without_a_frame_is_none(body: bytes) -> None:
    with pytest.raises((BadField, BadJson)):
        codec.read_frame_uri(body, allow_http=True)


# --- games ------------------------------------------------------------------------------------------------------


def read_games(body: bytes) -> codec.Catalogue:
    """The whole list, turn after turn."""
    games = codec.GamesList(body)
    while games.read_on():
        pass
    return games.catalogue()


def games_of(*elements: Any) -> codec.Catalogue:
    return read_games(json.dumps(elements).encode())


GAME = {"gameId": "g-1", "name": "Book of Ra™\u00a02", "gameCategory": "slots"}


def test_a_game_is_read_whole() -> None:
    element = {**GAME, "maxOdd": 1000.5, "lobbyImgUrl": "https://cdn.example/g.png", "extra": 1}
    listing = GameListing("g-1", "Book of Ra™\u00a02", "slots", "1000.5", "https://cdn.example/g.png")
    assert games_of(element) == codec.Catalogue((listing,))


def test_an_id_may_be_text_or_a_whole_number_and_means_the_same() -> None:
    assert games_of({**GAME, "gameId": 17}).games[0].game_ref == "17"
    twice = games_of({**GAME, "gameId": 17}, {**GAME, "gameId": "17"})
    assert [game.game_ref for game in twice.games] == ["17"]
    assert twice.skipped == ("element 1: gameId is listed twice",)


def test_an_unknown_category_is_kept() -> None:
    assert games_of({**GAME, "gameCategory": "Dice 2.0"}).games[0].category == "Dice 2.0"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"gameId": None}, "gameId"),
        ({"gameId": 1.5}, "gameId"),
        ({"gameId": -1}, "gameId"),
        ({"gameId": ".."}, "gameId"),
        ({"gameId": "."}, "gameId"),
        ({"gameId": "a\n"}, "gameId"),
        ({"gameId": "x" * 129}, "gameId"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"gameCategory": ["slots"]}, "gameCategory"),
    ],
)
def test_a_bad_element_is_skipped_and_reported_and_the_others_stay(change: dict[str, Any], field: str) -> None:
    read = games_of({**GAME, "gameId": "a"}, {**GAME, **change}, {**GAME, "gameId": "z"})
    assert [game.game_ref for game in read.games] == ["a", "z"]
    assert len(read.skipped) == 1
    assert read.skipped[0].startswith(f"element 1: {field} ")


@pytest.mark.parametrize("odd", ["many", -1, True, [], {}, "", "1,5", "NaN", None])
def test_an_odd_that_cannot_be_read_is_none_and_the_game_stays(odd: Any) -> None:
    (game,) = games_of({**GAME, "maxOdd": odd}).games
    assert game.max_odd is None


@pytest.mark.parametrize("odd", ["x2", -1, True, [], {}, "", "2,5", "NaN", None, "1e9999"])
@pytest.mark.parametrize("call", ["pay-out", "pay-in-out"])
def test_no_win_is_refused_for_its_odd(call: str, odd: Any) -> None:
    """WinOdd informs and decides nothing: one that cannot be read is absent."""
    body = {"betId": "b", "gameRoundId": "r", "betAmount": "1", "winAmount": "2", "winOdd": odd}
    command = READERS[call](7, "s", json.dumps(body).encode())
    assert (command.win, command.win_odd) == ("2", None)


@pytest.mark.parametrize("picture", [None, 5, "", "/g.png", "javascript:alert(1)", "https://a.example/" + "x" * 3000])
def test_a_picture_that_is_no_address_is_no_picture_but_the_game_stays(picture: Any) -> None:
    assert games_of({**GAME, "lobbyImgUrl": picture}).games[0].image_url is None


@pytest.mark.parametrize("body", [b"{}", b'{"games":[]}', b"null", b"", b"<html>", b"[1,2]", b"[{}]", b'[{"gameId":"a","gameId":"b"}]'])  # fmt: skip
def test_no_readable_list_is_not_an_empty_one(body: bytes) -> None:
    """An empty list would disable the whole catalogue; only a provider that says so may do that."""
    with pytest.raises(BadJson):
        read_games(body)


def test_an_empty_list_is_a_list() -> None:
    assert read_games(b"[]") == codec.Catalogue(())


def test_a_list_may_be_as_long_as_a_megabyte_and_no_longer() -> None:
    body = json.dumps([{**GAME, "gameId": number} for number in range(9_000)]).encode()
    assert MAX_BODY_BYTES < len(body) < MAX_LIST_BYTES
    assert len(read_games(body).games) == 9_000
    with pytest.raises(BadJson):
        read_games(body.ljust(MAX_LIST_BYTES + 1))


def test_a_list_of_more_games_than_any_provider_has_is_refused() -> None:
    with pytest.raises(BadJson, match="more than 20000"):
        read_games(b"[" + b'{"gameId":1},' * 20_000 + b"0]")


@pytest.mark.parametrize("element", ["0", "{}", '""', json.dumps({**GAME, "name": "x" * 256})])
def test_a_long_list_is_read_in_turns_that_are_short(element: str) -> None:
    """Found by fuzzing: a megabyte of zeros held everybody else up for more than a second."""
    body = f"[{','.join([element] * min(19_000, 1_000_000 // (len(element) + 1)))}]".encode()
    games, turns = codec.GamesList(body), 1
    while games.read_on():
        turns += 1
    read = len(games._skipped) + len(games._games)
    assert read / turns < 300
    assert len(body) / turns < 3 * codec.CHARS_PER_STEP


@given(body=st.binary(max_size=200) | st.lists(st.dictionaries(st.sampled_from([*GAME, "maxOdd", "lobbyImgUrl"]), field_values), max_size=4).map(lambda games: json.dumps(games).encode()))  # fmt: skip
def test_any_list_gives_a_catalogue_or_a_refusal(body: bytes) -> None:
    try:
        catalogue = read_games(body)
    except BadJson as refused:
        assert refused.why
        return
    assert len({game.game_ref for game in catalogue.games}) == len(catalogue.games)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b'{"_responseCode":8}', "8"), (b' {"_responseCode": 99 }', "99"), (b'{"_responseCode":"8"}', None), (b"{}", None), (b"[]", None), (b"{", None), (b"", None), (b"\xff", None)],
)  # fmt: skip
def test_a_code_is_seen_only_where_there_is_one(body: bytes, code: str | None) -> None:
    assert codec.read_response_code(body) == code


PLAIN = {"pay-in": "betAmount", "pay-out": "winAmount"}
"""The call and its amount."""
ODD_VALUES = [
    "", " a", "a ", "a b", "x" * 128, "x" * 129, "é", "a:b", 'a"b', "a\\b", "\x7f", "a\n", None, True, 17, 1.5, [], {}, {"a": 1},
    "0", "1.50", "01", "-1", "+1", "1.", ".5", "1e5", "9" * 15, "9" * 16, "1.123456789", "\u0661", 0, -1, 10**14, 10**15, 10**70,
]  # fmt: skip


def judged(call: str, body: bytes, session_id: str) -> object:
    try:
        return READERS[call](1, session_id, body)
    except (BadField, BadJson) as problem:
        return type(problem), str(problem)


@pytest.mark.parametrize("call", PLAIN)
@pytest.mark.parametrize("name", ["betAmount", "winAmount", "betId", "gameRoundId", "sessionId", "winOdd", "other"])
@pytest.mark.parametrize("value", ODD_VALUES, ids=repr)
def test_a_plain_call_is_read_as_the_strict_reader_reads_it(
    call: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = {PLAIN[call]: 1, "betId": "b", "gameRoundId": "r", "sessionId": "s"}
    forms = [{**plain, name: value}, {key: told for key, told in plain.items() if key != name}]
    whole = [json.dumps(form, ensure_ascii=ascii_only) for form in forms for ascii_only in (True, False)]
    twice = [text[:-1] + f',"{name}":{json.dumps(value)}' + "}" for text in whole]
    bodies = [text.encode() for text in [*whole, *twice, whole[0].replace(":", " : ") + "\n"]]
    asked = [(call, body, session_id) for body in bodies for session_id in ("s", str(value))]
    plainly = [judged(*one) for one in asked]
    monkeypatch.setattr(plain_json, "decoded", lambda *_: None)
    assert plainly == [judged(*one) for one in asked]


@pytest.mark.parametrize("call", PLAIN)
def test_what_providers_send_is_plain(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strictjson, "loads", lambda _: pytest.fail("read twice"))
    for amount in ("1.00", '"1.00"', "0", "12.5"):
        for session in ("", ',"sessionId":"s"'):
            body = f'{{"gameRoundId": "r", "{PLAIN[call]}": {amount},"betId":"b"{session}}}'
            kind = PayIn if call == "pay-in" else PayOut
            assert READERS[call](1, "s", body.encode()) == kind(1, "s", "b", "r", amount.strip('"'))
