"""The document of the frame and the files of its pages: who may embed it, what it may load, and words for everything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from croupier.casino_api.problems import ProblemCode
from croupier.webframe import shell
from croupier.webframe.page_files import HERE, catalogue, direction_of, language_of, languages, page_files
from tests.webframe.conftest import ORIGIN, Salon

SCRIPTS = {path.name: path.read_text("utf-8") for path in (HERE / "page").glob("*.js")}


async def test_only_the_casinos_origins_may_embed_the_frame(salon: Salon) -> None:
    answer = await salon.get(f"/frame?clientId={salon.casino_id}")
    policy = answer.headers["content-security-policy"]
    assert answer.status == 200
    assert policy.endswith(f"frame-ancestors {ORIGIN}")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


async def test_a_casino_without_origins_and_an_unknown_one_cannot_be_embedded(salon: Salon) -> None:
    await salon.hub.store.casinos.change(salon.casino_id, {"origins": ()})
    for client, status in ((str(salon.casino_id), 200), ("999", 404), ("x", 404), ("", 404), ("1" * 40, 404)):
        answer = await salon.get(f"/frame?clientId={client}")
        assert answer.status == status
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_the_ancestors_address_without_a_path_serves_the_frame(salon: Salon) -> None:
    answer = await salon.get(f"/?lng=en&clientId={salon.casino_id}&checkAccess=1")
    assert b'id="config"' in answer.body
    assert (await salon.get("/")).status == 404


async def test_a_name_is_text_and_the_query_is_never_shown(salon: Salon) -> None:
    evil = "</script><script>alert(1)</script>&<b>"
    await salon.hub.store.db.execute("update casinos set name = $1", evil)
    salon.hub.store.casinos._recent.forget()
    page = (await salon.get(f"/frame?clientId={salon.casino_id}&lng=%3Cscript%3E&token=sekret&x=%22%3E")).body.decode()
    assert "<script>alert" not in page
    assert "sekret" not in page
    assert page.count("</script>") == 2
    told = json.loads(re.findall(r'id="config">(.*?)</script>', page)[0])
    assert told["language"] == "en"


async def test_files_are_served_with_their_type_and_a_tag(salon: Salon) -> None:
    for path, file in page_files().items():
        answer = await salon.get(path)
        assert answer.body == file.body
        assert "immutable" in answer.headers["cache-control"]
        assert (await salon.get(path, **{"If-None-Match": answer.headers["etag"]})).status == 304
    shared = await salon.get("/assets/frame.js")
    assert shared.headers["access-control-allow-origin"] == "*"
    assert (await salon.get("/assets/page/../shell.py")).status == 404
    assert (await salon.get("/assets/none.js")).status == 404


def test_every_language_has_every_word_with_the_same_places() -> None:
    english = catalogue("en")
    assert {"en", "de"} <= languages()
    for language in languages():
        words = catalogue(language)
        assert words.keys() == english.keys()
        for key, text in words.items():
            assert text.strip()
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


def test_every_word_that_a_script_says_is_in_the_catalogue() -> None:
    said = {key for text in SCRIPTS.values() for key in re.findall(r'say\(\s*"([\w.]+)"', text)}
    said |= {key for text in SCRIPTS.values() for key in re.findall(r'\[?"((?:check|lobby|error)\.\w+)"', text)}
    assert len(said) > 30
    assert said <= catalogue("en").keys()


def test_every_code_that_a_call_may_end_with_has_words() -> None:
    """Those of the hub's problems, by rule, field and code, and those of the scripts themselves."""
    tables = re.findall(r"const (?:RULES|FIELDS|CODES) = \{(.*?)\};", SCRIPTS["api.js"], re.DOTALL)
    codes = {code for table in tables for code in re.findall(r':\s*"(\w+)"', table)}
    codes |= {code for text in SCRIPTS.values() for code in re.findall(r'ApiError\("(\w+)"', text)}
    assert {"token_refused", "too_many", "guest", "bad_frame", "excluded", "offline"} <= codes
    assert {f"error.{code}" for code in codes | {"blocked", "excluded", "time", "casino_silent"}} <= catalogue(
        "en"
    ).keys()


def test_every_problem_of_the_casino_api_that_a_page_may_meet_has_a_code() -> None:
    known = set(re.findall(r"(\w+):", re.findall(r"const CODES = \{(.*?)\};", SCRIPTS["api.js"], re.DOTALL)[0]))
    never = {
        "peer_unanswered",
        "method_not_allowed",
        "too_large",
        "wrong_type",
    }  # told apart by path, or a bug of the page
    assert {code.value for code in ProblemCode} - never == known


def test_no_script_writes_markup_or_keeps_a_token() -> None:
    for name, text in SCRIPTS.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|document\.cookie", text
        ), name
        assert "postMessage(" not in text or '"*"' not in re.sub(r"//.*", "", text), name
        assert not re.search(r"(?:local|session)Storage.*[Tt]oken", text), name
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), name


@pytest.mark.parametrize(
    ("tag", "language"), [("de-AT", "de"), ("DE", "de"), ("de_CH", "de"), ("xx", "en"), ("", "en"), ("../../etc", "en")]
)
def test_a_tag_finds_its_language(tag: str, language: str) -> None:
    assert language_of(tag) == language


def test_the_styles_serve_both_directions() -> None:
    assert direction_of("ar") == "rtl"
    assert direction_of("he-IL") == "rtl"
    assert direction_of("en") == "ltr"
    style = Path(HERE / "page" / "style.css").read_text("utf-8")
    assert not re.search(
        r"\b(?:margin|padding|border)-(?:left|right)\b|text-align: (?:left|right)|^\s*(?:left|right):",
        style,
        re.MULTILINE,
    )


@pytest.mark.slow
def test_nobody_is_urged_to_play() -> None:
    text = json.dumps([dict(catalogue(language)) for language in languages()]).lower()
    for urging in (
        "win big",
        "hurry",
        "last chance",
        "don't miss",
        "bonus",
        "jetzt spielen",
        "nicht verpassen",
        "big win",
    ):
        assert urging not in text
    assert "18" in catalogue("en")["care.title"]


@pytest.mark.slow
def test_json_in_the_document_cannot_end_its_element() -> None:
    assert "</" not in shell._in_script({"name": "</script><!--"})
