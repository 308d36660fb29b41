"""`croupier openapi`: the document as it is served, without a database and without a home."""

from __future__ import annotations

import json

from croupier.admin_api import operations as admin_api
from croupier.apps.operations import all_operations, openapi
from tests.cli.conftest import Cli


def test_the_document_is_printed_whole(nowhere: Cli) -> None:
    assert nowhere.json("openapi") == openapi()
    assert not nowhere.home.exists()


def test_people_see_every_operation(nowhere: Cli) -> None:
    said = nowhere.ok("openapi").out
    assert all(f"\t{operation.path}\t" in said for operation in all_operations())


def test_the_admin_api_has_a_document_of_its_own(nowhere: Cli) -> None:
    assert nowhere.json("openapi", "--admin") == json.loads(json.dumps(admin_api.openapi()))
    said = nowhere.ok("openapi", "--admin").out
    assert all(f"\t{operation.path}\t" in said for operation in admin_api.ADMIN_API.operations)
