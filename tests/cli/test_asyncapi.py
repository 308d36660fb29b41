"""`croupier asyncapi`: the document, without a database and without a home."""

from __future__ import annotations

from croupier.apps.operations import asyncapi
from croupier.feed.socket_operations import LIVE_FEED
from tests.cli.conftest import Cli


def test_the_document_is_printed_whole(nowhere: Cli) -> None:
    assert nowhere.json("asyncapi") == asyncapi()
    assert not nowhere.home.exists()


def test_people_see_every_message(nowhere: Cli) -> None:
    said = nowhere.ok("asyncapi").out
    assert all(message.name in said for message in LIVE_FEED.messages)
