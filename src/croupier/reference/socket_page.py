"""The page of the live feed's socket: its addresses and messages.

Owns: the page. Never: a fact. All of it is read from the AsyncAPI document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from croupier.reference.layout import section
from croupier.reference.markdown import code
from croupier.reference.markup import Html, element, with_code
from croupier.reference.operation_page import field_list
from croupier.reference.schemas import Schemas

ADDRESS = "/docs/api/feed/socket"
TITLE = "The live feed's socket"


def contents(document: Mapping[str, Any]) -> list[Html]:
    """Return the parts of the page."""
    schemas = Schemas(document["components"]["schemas"])
    channels = list(document["channels"].values())
    paths = [element("li", element("code", f"wss://HUB{channel['address']}")) for channel in channels]
    schemes = [
        element("li", element("b", str(one.get("name", "Authorization: Bearer"))), ": ", with_code(one["description"]))
        for one in document["components"]["securitySchemes"].values()
    ]
    head = element("header", element("p", "feed", class_="eyebrow"), element("h1", TITLE))
    parts = [
        head,
        element("p", with_code(str(document["info"]["description"]))),
        section("Addresses", "addresses", element("ul", *paths), element("p", with_code(channels[0]["description"]))),
        section("Authentication", "authentication", element("p", "One of:"), element("ul", *schemes)),
    ]
    received = {
        str(message["$ref"]).rpartition("/")[2]
        for operation in document["operations"].values()
        if operation["action"] == "receive"
        for message in operation["messages"]
    }
    messages = document["components"]["messages"]
    for title, wanted in (("From the client", True), ("From the hub", False)):
        some = [_message(name, said, schemas) for name, said in messages.items() if (name in received) == wanted]
        parts.append(section(title, title.lower().replace(" ", "-"), *some))
    return parts


def _message(name: str, said: Mapping[str, Any], schemas: Schemas) -> Html:
    payload = said["payload"]
    examples = [one["payload"] for one in said.get("examples", ())]
    shown = examples or [schemas.example(payload)]
    blocks = [code(json.dumps(one, ensure_ascii=False, indent=2), "json") for one in shown]
    return element(
        "section",
        element("h3", name, id=name),
        element("p", with_code(str(said["summary"]))),
        field_list(list(schemas.rows(payload))),
        *blocks,
        class_="message",
    )
