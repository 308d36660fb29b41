"""The page of one operation: what it is for, who calls it, its fields, samples, answers, and where money is play money a form.

Owns: the page. Never: a fact. All of it is read from the OpenAPI document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from croupier.reference.layout import method_tag, section
from croupier.reference.markdown import code, tabs
from croupier.reference.markup import Html, element, joined, void, with_code
from croupier.reference.samples import SampleCall, samples
from croupier.reference.schemas import FieldRow, Schema, Schemas

_JSON: Final = "application/json"
_BEARERS: Final = ("bearer", "playerBearer")
_LEXERS: Final = {"curl": "bash", "Python": "python", "JavaScript": "javascript", "PHP": "php"}


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """One operation of the document."""

    method: str
    path: str
    stated: Mapping[str, Any]

    @property
    def group(self) -> str:
        """Return the half to which it belongs."""
        return str(self.stated["tags"][0])

    @property
    def address(self) -> str:
        """Return the path of its page."""
        slug = re.sub(r"[^a-z0-9]+", "-", str(self.stated["operationId"]).lower()).strip("-")
        return f"/docs/api/{self.group}/{slug}"

    @property
    def title(self) -> str:
        """Return the first sentence of its summary."""
        return str(self.stated["summary"]).partition(". ")[0].rstrip(".")

    @property
    def more(self) -> str:
        """Return the rest of its summary."""
        return str(self.stated["summary"]).partition(". ")[2]

    @property
    def schemes(self) -> list[str]:
        """Return the names of the schemes of its first way of authentication that is not none."""
        return next((list(way) for way in self.stated["security"] if way), [])


def operations(document: Mapping[str, Any]) -> Iterator[OperationEntry]:
    """Yield every operation of an OpenAPI document, in its order."""
    for path, item in document["paths"].items():
        for method, stated in item.items():
            yield OperationEntry(method.upper(), path, stated)


class OperationPage:
    """The contents of the page of one operation."""

    def __init__(self, entry: OperationEntry, document: Mapping[str, Any], pages: Mapping[str, str]) -> None:
        self._entry = entry
        self._schemas = Schemas(document["components"]["schemas"])
        self._schemes: Mapping[str, Any] = document["components"]["securitySchemes"]
        self._pages = pages

    def contents(self, *, trying: bool) -> list[Html]:
        """Return the parts of the page."""
        entry = self._entry
        head = element(
            "header",
            element("p", entry.group.replace("-", " "), class_="eyebrow"),
            element("h1", entry.title),
            element("p", method_tag(entry.method), element("code", entry.path), class_="call"),
            *([element("p", with_code(entry.more))] if entry.more else []),
        )
        words = [self._overview(), self._parameters(), self._request(), self._answers(), self._answer_fields()]
        aside = [self._samples(), self._example()]
        if trying and self._can_be_tried():
            words.insert(3, self._try())
        about = element("div", *words, class_="about")
        return [head, element("div", about, element("div", *aside, class_="aside"), class_="operation")]

    # What it is for

    def _overview(self) -> Html:
        entry = self._entry
        rows = [
            ("Called by", Html(element("span", str(entry.stated["x-called-by"])))),
            ("Authentication", self._authentication()),
            ("Contract", self._contract()),
        ]
        return section("Overview", "overview", _terms(rows))

    def _authentication(self) -> Html:
        ways = self._entry.stated["security"]
        if all(not way for way in ways):
            return Html("None.")
        optional = Html(" It may be left out.") if any(not way for way in ways) else Html("")
        names = self._entry.schemes
        if set(names) <= set(_BEARERS):
            told = with_code(f"`Authorization: Bearer TOKEN`. {self._schemes[names[0]]['description']}")
            return joined([told, optional])
        rows = [element("li", element("code", name), ": ", self._schemes[name]["description"]) for name in names]
        return joined([Html("Four headers. "), element("ul", *rows)])

    def _contract(self) -> Html:
        told = str(self._entry.stated["description"]).removeprefix("Contract: ").rstrip(".")
        parts = re.split(r"([a-z]+\.md)((?: [0-9.]+)?)", told)
        shown: list[str] = [parts[0]]
        for name, number, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            page = self._pages.get(f"contract/{name}")
            words = f"{name.removesuffix('.md')}{number}"
            anchor = f"#{number.strip()}" if number else ""
            shown += [element("a", words, href=page + anchor) if page else words, rest]
        return joined(shown)

    # What is sent

    def _parameters(self) -> Html:
        stated: Sequence[Mapping[str, Any]] = self._entry.stated.get("parameters", ())
        if not stated:
            return Html("")
        rows = [self._parameter_row(one) for one in stated]
        path = [row for row, one in zip(rows, stated, strict=True) if one["in"] == "path"]
        query = [row for row, one in zip(rows, stated, strict=True) if one["in"] == "query"]
        parts = []
        for title, some in (("In the path", path), ("In the query", query)):
            parts += [element("h3", title), field_list(some)] if some else []
        return section("Parameters", "parameters", *parts)

    def _parameter_row(self, stated: Mapping[str, Any]) -> FieldRow:
        schema = stated["schema"]
        means = str(schema.get("description", ""))
        example = str(self._schemas.example(schema))
        return FieldRow(stated["name"], self._schemas.type_of(schema), bool(stated.get("required")), means, example)

    def _request(self) -> Html:
        schema = self._body_schema()
        if schema is None:
            return Html("")
        variants = self._schemas.variants(schema)
        parts: list[Html] = []
        for one in variants:
            if len(variants) > 1:
                parts.append(element("h3", _means(one) or "Alternatively"))
            rows = list(self._schemas.rows(one))
            parts.append(field_list(rows) if rows else element("p", f"{self._schemas.type_of(one)}. {_means(one)}"))
        return section("Body", "body", *parts)

    def _body_schema(self) -> Schema | None:
        content = self._entry.stated.get("requestBody", {}).get("content", {})
        found: Schema | None = content.get(_JSON, {}).get("schema")
        return found

    def sample_call(self) -> SampleCall:
        """Return the call that the samples make."""
        entry, schema = self._entry, self._body_schema()
        path = entry.path
        for one in entry.stated.get("parameters", ()):
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", quote(str(self._schemas.example(one["schema"])), safe=""))
        names = entry.schemes
        bearer = bool(names) and set(names) <= set(_BEARERS)
        signed = () if bearer else tuple(names)
        if schema is None:
            return SampleCall(entry.method, path, bearer=bearer, signed=signed)
        example = self._schemas.example(self._schemas.variants(schema)[0], whole=False)
        return SampleCall(entry.method, path, example, bearer=bearer, signed=signed)

    def _samples(self) -> Html:
        call = self.sample_call()
        blocks = {name: code(sample, _LEXERS[name]) for name, sample in samples(call).items()}
        told = [element("code", name) for name in call.variables]
        names = joined(part for number, name in enumerate(told) for part in ((Html(", "), name) if number else (name,)))
        hint = element("p", Html("Set "), names, Html(" in the environment."), class_="quiet")
        return section("Sample", "sample", hint, tabs("sample", blocks))

    # What comes back

    def _answers(self) -> Html:
        rows = []
        for status, said in self._entry.stated["responses"].items():
            codes = [element("code", str(one)) for one in self._codes(said)]
            head = element("p", element("b", status, class_=f"status s{status[0]}"), *codes, class_="head")
            means = element("p", with_code(str(said["description"])))
            do = said.get("x-what-to-do")
            told = [element("p", element("b", "What to do: "), with_code(str(do)), class_="do")] if do else []
            headers = said.get("headers", {})
            told += [element("p", _header_words(headers), class_="quiet")] if headers else []
            rows.append(element("li", head, means, *told))
        return section("Answers and error codes", "answers", element("ul", *rows, class_="answers"))

    def _codes(self, said: Mapping[str, Any]) -> list[object]:
        """Return the values to which an answer narrows its record, but for the HTTP status."""
        narrowed = [part for part in (_schema_of(said) or {}).get("allOf", ()) if "$ref" not in part]
        fields = [item for part in narrowed for item in part["properties"].items() if item[0] != "status"]
        return [value for _, schema in fields for value in schema["enum"]]

    def _answer_fields(self) -> Html:
        parts: list[Html] = []
        good, refused = self._schemas_of(good=True), self._schemas_of(good=False)
        for title, schema in (("Of a success", good), ("Of an error", refused)):
            rows = [] if schema is None else list(self._schemas.rows(schema))
            parts += [element("h3", title), field_list(rows, said_required="always")] if rows else []
        return section("Fields of the answer", "fields", *parts) if parts else Html("")

    def _schemas_of(self, *, good: bool) -> Schema | None:
        """Return the schema of the first answer of this kind that has one."""
        for status, said in self._entry.stated["responses"].items():
            schema = _schema_of(said)
            if (int(status) < 400) == good and schema is not None:
                return schema if good else _without_codes(schema)
        return None

    def _example(self) -> Html:
        schema = self._schemas_of(good=True)
        if schema is None:
            return Html("")
        value = self._schemas.example(schema)
        if not isinstance(value, dict | list) or not value:
            return Html("")
        shown = json.dumps(value, ensure_ascii=False, indent=2)
        return section("Example of an answer", "example", code(shown, "json"))

    # The form

    def _can_be_tried(self) -> bool:
        return self._entry.group != "operations" or self._entry.method == "GET"

    def _try(self) -> Html:
        entry, call = self._entry, self.sample_call()
        way = "signed" if call.signed else "bearer" if call.bearer else "none"
        parts: list[Html] = []
        if call.signed:
            parts += [_input("Counterparty id", "counterparty"), _input("Secret", "secret", hidden=True)]
        if call.bearer:
            parts.append(_input("Access token", "token", hidden=True))
        for one in entry.stated.get("parameters", ()):
            example = str(self._schemas.example(one["schema"])) if one["in"] == "path" else ""
            parts.append(_input(str(one["name"]), str(one["name"]), example, place=str(one["in"])))
        if call.has_body:
            body = json.dumps(call.body, ensure_ascii=False, indent=2)
            area = element("textarea", body, id="try-body", rows=str(min(body.count("\n") + 2, 16)), spellcheck="false")
            parts.append(element("p", element("label", "Body", for_="try-body"), area))
        send = element("button", "Send", type="submit", class_="primary")
        form = element(
            "form",
            *parts,
            element("p", send),
            class_="try",
            data_method=entry.method,
            data_path=entry.path,
            data_way=way,
            data_headers=" ".join(call.signed) or None,
        )
        told = element("pre", element("code", ""), tabindex="0", hidden=True, id="try-answer", aria_live="polite")
        note = element("p", "This hub runs a sandbox: all money is play money. The call is really made.", class_="note")
        without = element("noscript", element("p", "The form needs JavaScript.", class_="note"))
        return section("Try it", "try", note, without, form, told)


def _input(label: str, name: str, value: str = "", *, hidden: bool = False, place: str = "") -> Html:
    key = f"try-{place}-{name}"
    field = void(
        "input", id=key, name=name, value=value, type="password" if hidden else "text", autocomplete="off",
        spellcheck="false", data_place=place or None,
    )  # fmt: skip
    return element("p", element("label", label, for_=key), field)


def _terms(rows: Sequence[tuple[str, Html]]) -> Html:
    return element("dl", *(part for name, means in rows for part in (element("dt", name), element("dd", means))))


def field_list(rows: Sequence[FieldRow], *, said_required: str = "required") -> Html:
    """Return fields as a list: a table would not fit a phone."""
    shown = []
    for row in rows:
        must = element("span", said_required if row.required else "optional", class_="must" if row.required else "may")
        head = element("p", element("code", row.path), element("span", row.type, class_="type"), must, class_="head")
        parts = [element("p", with_code(row.means))] if row.means else []
        if row.example:
            parts.append(element("p", "Example: ", element("code", row.example), class_="quiet"))
        shown.append(element("li", head, *parts))
    return element("ul", *shown, class_="fields")


def _header_words(headers: Mapping[str, Any]) -> Html:
    parts: list[str] = []
    for name, said in headers.items():
        parts += [Html(" ") if parts else Html("Header "), element("code", name), ": ", str(said["description"])]
    return joined(parts)


def _schema_of(said: Mapping[str, Any]) -> Schema | None:
    content = said.get("content", {})
    found: Schema | None = next(iter(content.values()))["schema"] if content else None
    return found


def _without_codes(schema: Schema) -> Schema:
    """Return the record of an error as all statuses share it."""
    return next((part for part in schema.get("allOf", ()) if "$ref" in part), schema)


def _means(schema: Schema) -> str:
    return str(schema.get("description", ""))
