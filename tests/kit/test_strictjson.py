"""The strict reader: what it refuses, what it keeps exactly, and the sorted compact form."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import strictjson
from croupier.kit.strictjson import BadField, BadJson, NumberText, loads, sorted_compact

CHARACTERS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
SCALARS = st.none() | st.booleans() | st.integers(-(10**60), 10**60) | st.text(CHARACTERS, max_size=12)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(CHARACTERS, max_size=8), inner, max_size=5),
    max_leaves=25,
)


def plain(value: Any) -> Any:
    """A read document with its numbers turned back into what `json` makes of them."""
    if isinstance(value, NumberText):
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def tokens_kept(spelling: str) -> str:
    """What stays when the white space outside strings goes."""
    return "".join(match.group() for match in TOKEN.finditer(spelling))


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 0, 2]))
def test_reads_back_whatever_json_writes(document: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    assert plain(loads(body)) == document


@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d8e-+.1 truefalsn', max_size=60).map(str.encode))
def test_any_bytes_are_read_as_the_standard_reader_does_or_refused(body: bytes) -> None:
    try:
        read = loads(body)
    except BadJson:
        return
    numbers = {"parse_int": NumberText, "parse_float": NumberText}
    assert read == json.loads(body.decode(), **numbers)


@pytest.mark.parametrize("literal", ["1.50", "0", "-0", "1e400", "1E-7", "0.1", "-12.000", "9" * 64])
def test_a_number_keeps_its_characters(literal: str) -> None:
    read = loads(f'{{"a":[{literal}]}}'.encode())
    assert read == {"a": [literal]}
    assert isinstance(read, dict)
    assert isinstance(read["a"], list)
    assert type(read["a"][0]) is NumberText


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"   ", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":1}{}', "not JSON"),
        (b"[1,]", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"[01]", "not JSON"),
        (b"[1.]", "not JSON"),
        (b"[+1]", "not JSON"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "NaN"),
        (b"[-Infinity]", "NaN"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":1,"b":2,"a":1}', "twice"),
        (b'{"a":1,"\\u0061":1}', "twice"),
        (b'[{"b":{"a":1,"a":1}}]', "twice"),
        (b'{"a":"x\x00y"}', "not JSON"),
        (b'{"a":"x\\u0000y"}', "NUL"),
        (b'{"x\\u0000y":1}', "NUL"),
        (b'[[{"a":["\\u0000"]}]]', "NUL"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":"\\uDC00\\uD800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"[" + b"9" * 65 + b"]", "number"),
        (b"[-" + b"9" * 10_000 + b"]", "number"),
        (b"[0." + b"1" * 10_000 + b"]", "number"),
        (b"[1e" + b"9" * 10_000 + b"]", "number"),
    ],
)
def test_refuses(body: bytes, why: str) -> None:
    with pytest.raises(BadJson, match=why) as refused:
        loads(body)
    assert not refused.value.too_large


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert loads(b'"\\\\u0000"') == "\\u0000"
    assert loads(b'"\\ud83c\\udfb0"') == "\N{SLOT MACHINE}"


def test_size_is_refused_one_byte_over_and_said_to_be_size() -> None:
    exact = b'"' + b"x" * (65536 - 2) + b'"'
    assert loads(exact) == "x" * 65534
    with pytest.raises(BadJson) as refused:
        loads(exact + b" ")
    assert refused.value.too_large
    assert loads(exact + b" ", max_bytes=1 << 20) == "x" * 65534


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_refused_one_level_over(opens: bytes, closes: bytes) -> None:
    levels = 32 // (opens.count(b"[") + opens.count(b"{"))
    loads(opens * levels + b"1" + closes * levels)
    with pytest.raises(BadJson, match="deeper"):
        loads(opens * levels + b"[1]" + closes * levels)


def test_depth_counts_levels_not_brackets() -> None:
    assert loads(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000
    assert loads(b'["' + b"[" * 500 + b'\\"' + b"{" * 500 + b'"]') == ["[" * 500 + '"' + "{" * 500]


def test_deep_nesting_is_refused_before_the_scanner_recurses() -> None:
    with pytest.raises(BadJson, match="deeper"):
        loads(b"[" * 65536)


def test_the_depth_scan_passes_an_unclosed_string_once() -> None:
    # Each of these quotes could begin a string that never ends; a scan that tried each anew would take minutes.
    with pytest.raises(BadJson, match="not JSON"):
        loads(b"[]" * 33 + b'"' + b'\\"' * 500_000, max_bytes=1 << 21)


def test_the_reason_never_quotes_the_body() -> None:
    with pytest.raises(BadJson) as refused:
        loads(b'{"Secret":"hunter2"')
    assert "hunter2" not in str(refused.value)


# --- sorted compact form ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sorted_form"),
    [
        (b' { "b" : 1.50 , "a" : "x\\/y" } ', b'{"a":"x\\/y","b":1.50}'),
        (b'{"b":[{"d":1,"c":2},[]],"a":{}}', b'{"a":{},"b":[{"c":2,"d":1},[]]}'),
        (b"[3, 1,\n2]", b"[3,1,2]"),
        (b' "a b" ', b'"a b"'),
        (b'{"a":" , : { \\" } "}', b'{"a":" , : { \\" } "}'),
        # By code point, not by UTF-16 unit: U+FF5E comes before U+1F3B0.
        ('{"\U0001f3b0":1,"\uff5e":2,"Z":3,"a":4}'.encode(), '{"Z":3,"a":4,"\uff5e":2,"\U0001f3b0":1}'.encode()),
        # A key is sorted by what it means and kept as it was written.
        (b'{"b":1,"\\u0061":2}', b'{"\\u0061":2,"b":1}'),
        (b'{"a":1e2,"b":-0,"c":1E+2,"d":null,"e":true}', b'{"a":1e2,"b":-0,"c":1E+2,"d":null,"e":true}'),
    ],
)
def test_sorted_compact_form(body: bytes, sorted_form: bytes) -> None:
    assert sorted_compact(body) == sorted_form


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
@pytest.mark.slow
def test_sorted_compact_form_is_what_a_sorting_writer_writes(
    document: Any, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    expected = json.dumps(document, ensure_ascii=ascii_only, sort_keys=True, separators=(",", ":")).encode()
    assert sorted_compact(body) == expected
    assert sorted_compact(expected) == expected


@given(DOCUMENTS)
@pytest.mark.slow
def test_sorted_compact_form_loses_no_character(document: Any) -> None:
    spelling = json.dumps(document, indent=1)
    assert sorted(sorted_compact(spelling.encode()).decode()) == sorted(tokens_kept(spelling))


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'{"a":1,"\\u0061":1}', b"", b"[" * 40 + b"]" * 40, b"{}x"])
def test_sorted_compact_form_refuses_what_the_reader_refuses(body: bytes) -> None:
    with pytest.raises(BadJson):
        sorted_compact(body)


# --- fields -----------------------------------------------------------------------------------------------------

FIELDS = strictjson.record(
    loads(
        b'{"id":"b-1","long":"' + b"x" * 129 + b'","none":null,"empty":"","n":12.50,"i":-7,"e":1e3,"yes":true,'
        b'"o":{"a":1},"l":[1,2],"digits":"0012.50"}'
    )
)


def test_field_readers_return_what_is_there() -> None:
    assert strictjson.text(FIELDS, "id") == "b-1"
    assert strictjson.text(FIELDS, "empty", min_len=0) == ""
    assert strictjson.text(FIELDS, "long", 129) == "x" * 129
    assert strictjson.optional_text(FIELDS, "id") == "b-1"
    assert strictjson.optional_text(FIELDS, "none") is None
    assert strictjson.optional_text(FIELDS, "absent") is None
    assert strictjson.integer(FIELDS, "i", low=-7, high=-7) == -7
    assert strictjson.boolean(FIELDS, "yes") is True
    assert strictjson.mapping(FIELDS, "o") == {"a": "1"}
    assert strictjson.listing(FIELDS, "l") == ["1", "2"]
    assert strictjson.optional(strictjson.amount_text, FIELDS, "n") == "12.50"
    assert strictjson.optional(strictjson.amount_text, FIELDS, "none") is None


@pytest.mark.parametrize(("field", "exact"), [("n", "12.50"), ("digits", "0012.50")])
def test_an_amount_is_exact_text_from_a_string_or_a_number(field: str, exact: str) -> None:
    amount = strictjson.amount_text(FIELDS, field)
    assert amount == exact
    assert type(amount) is str


@pytest.mark.parametrize(
    ("read", "field", "why"),
    [
        (strictjson.text, "absent", "is missing"),
        (strictjson.text, "none", "must not be null"),
        (strictjson.text, "n", "must be a string"),
        (strictjson.text, "empty", "1 to 128"),
        (strictjson.text, "long", "1 to 128"),
        (strictjson.optional_text, "yes", "must be a string"),
        (strictjson.optional_text, "long", "1 to 128"),
        (strictjson.amount_text, "yes", "must be an amount"),
        (strictjson.amount_text, "o", "must be an amount"),
        (strictjson.amount_text, "empty", "1 to 64"),
        (strictjson.amount_text, "long", "1 to 64"),
        (strictjson.boolean, "i", "true or false"),
        (strictjson.mapping, "l", "must be an object"),
        (strictjson.listing, "o", "must be an array"),
    ],
)
def test_a_bad_field_is_named_with_what_is_wrong(read: Any, field: str, why: str) -> None:
    with pytest.raises(BadField, match=why) as refused:
        read(FIELDS, field)
    assert refused.value.field == field


@pytest.mark.parametrize("field", ["n", "e", "id", "digits", "yes", "o"])
def test_an_integer_is_a_number_without_fraction_or_exponent(field: str) -> None:
    with pytest.raises(BadField, match="whole number"):
        strictjson.integer(FIELDS, field, low=-100, high=100)


@pytest.mark.parametrize(("low", "high"), [(-6, 0), (-10, -8)])
def test_an_integer_outside_its_range_is_refused(low: int, high: int) -> None:
    with pytest.raises(BadField, match="must be from"):
        strictjson.integer(FIELDS, "i", low=low, high=high)


def test_a_list_over_its_limit_is_refused() -> None:
    with pytest.raises(BadField, match="at most 1"):
        strictjson.listing(FIELDS, "l", 1)


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(BadField, match="body must be an object"):
        strictjson.record(loads(b"[]"))


# --- long arrays ------------------------------------------------------------------------------------------------


def one_by_one(body: bytes, *, max_bytes: int = 1_000_000, max_items: int = 1_000_000) -> list[object]:
    return [element for element, _ in strictjson.elements(body, max_bytes=max_bytes, max_items=max_items)]


@pytest.mark.slow
@given(st.lists(DOCUMENTS, max_size=6), st.booleans(), st.sampled_from([None, 0, 2]))
def test_the_elements_of_an_array_are_those_of_the_whole(
    elements: list[Any], ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(elements, ensure_ascii=ascii_only, indent=indent).encode()
    assert one_by_one(body) == loads(body)


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0d8e-+.1 truefalsn', max_size=60).map(lambda t: f"[{t}]".encode()))
def test_an_array_is_read_one_by_one_exactly_if_it_is_read_whole(body: bytes) -> None:
    found: list[object] = []
    for read in (one_by_one, loads):
        try:
            found.append(read(body))
        except BadJson:
            found.append(None)
    assert found[0] == (found[1] if isinstance(found[1], list) else None)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"1", b'"[1]"', b"[", b"]", b"[1", b"1]", b"[1,]", b"[,1]", b"[,]", b"[1]]", b"[1]x", b"x[1]", b"[1}", b"{1]",
        b"[1 2]", b"[[1]", b"[{]}]", b'["a]', b"[1],[2]", b"[nan]", b"[NaN]", b'[{"a":1,"a":2}]', b'["\\u0000"]', b"\xef\xbb\xbf[]",
        b"[\xff]", b"[" * 33 + b"]" * 33, b"[" + b"[" * 5000, b"[" + b"1" * 65 + b"]", b"\xc2\xa0[]", b"[1]\x0b",
    ],
)  # fmt: skip
def test_what_the_whole_reader_refuses_is_refused_one_by_one(body: bytes) -> None:
    for read in (one_by_one, loads):
        with pytest.raises(BadJson):
            assert not isinstance(read(body), list), "no array is as bad"
            raise BadJson("not an array")


def test_an_array_may_be_longer_than_a_body_and_an_element_may_not() -> None:
    half = b'"' + b"x" * 40_000 + b'"'
    assert len(one_by_one(b"[" + half + b"," + half + b"]")) == 2
    with pytest.raises(BadJson, match="element of more than 65536"):
        one_by_one(b'["' + b"x" * 65_536 + b'"]')
    with pytest.raises(BadJson, match="more than 2 elements"):
        one_by_one(b"[1,2,3]", max_items=2)
    with pytest.raises(BadJson, match="longer than"):
        one_by_one(b"[1,2,3]", max_bytes=6)


ODD_ENDS = ["", " ", "\n", "x", "}", "{}", ",", " }", "\x00", "\u2003"]


@pytest.mark.parametrize("whole", ['{"a":1}', '{"a":{"b":"}"}}', "{}", "{", "[1]", "1", '{"a"}', '{"a":1,}'])
@pytest.mark.parametrize("begin", ODD_ENDS)
@pytest.mark.parametrize("end", ODD_ENDS)
def test_the_place_of_a_fault_is_where_the_standard_reader_has_it(begin: str, whole: str, end: str) -> None:
    body = begin + whole + end
    try:
        read = json.loads(body, parse_int=NumberText)
    except json.JSONDecodeError as problem:
        with pytest.raises(BadJson, match=f"not JSON at character {problem.pos}$"):
            loads(body.encode())
    else:
        assert loads(body.encode()) == read
