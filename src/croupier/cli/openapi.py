"""`croupier openapi`: the OpenAPI 3.1 document of everything the hub serves. Spec: operate.md 2."""

from __future__ import annotations

from croupier.apps.operations import all_operations, openapi
from croupier.cli.running import AsJson
from croupier.cli.show import show_json, show_table


def show_openapi(as_json: AsJson = False) -> None:
    """Show what the hub serves: a table, or with --json the OpenAPI 3.1 document. Needs no database."""
    if as_json:
        show_json(openapi())
        return
    rows = [(operation.method, operation.path, operation.summary) for operation in all_operations()]
    show_table("What the hub serves (`--json` prints the OpenAPI document)", ("method", "path", "what it does"), rows)
