"""`croupier openapi`: the OpenAPI 3.1 documents of everything the hub serves. Spec: operate.md 2."""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api.operations import ADMIN_API
from croupier.admin_api.operations import openapi as admin_openapi
from croupier.apps.operations import all_operations, openapi
from croupier.cli.running import AsJson
from croupier.cli.show import show_json, show_table


def show_openapi(
    admin: Annotated[bool, typer.Option("--admin", help="Show the admin API, by which persons use commands.")] = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what the hub serves: a table, or with --json the OpenAPI 3.1 document. Needs no database."""
    if as_json:
        show_json(admin_openapi() if admin else openapi())
        return
    operations = ADMIN_API.operations if admin else all_operations()
    rows = [(operation.method, operation.path, operation.summary) for operation in operations]
    show_table("What the hub serves (`--json` prints the OpenAPI document)", ("method", "path", "what it does"), rows)
