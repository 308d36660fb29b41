"""The admin API as OpenAPI states it, made of the table of commands.

Owns: how a command becomes an operation, and the document. Never: a command. Spec: decision 0102.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from croupier import __version__
from croupier.admin_api import problems
from croupier.admin_api.command import ROOT, Command
from croupier.admin_api.table import COMMANDS
from croupier.kit.openapi import AnswerSpec, Half, Operation, Schema, document


class ProblemRecord(TypedDict):
    """RFC 9457. The `type` of a code never changes."""

    type: str
    title: str
    status: int
    code: str
    detail: Annotated[str, Meta(description="What is wrong and what to do, for a person.")]
    field: NotRequired[Annotated[str, Meta(description="The parameter at fault.")]]


_ALWAYS: Final = ("usage", "not_signed_in", "not_allowed", problems.TOO_MANY, "bug", "database", problems.UNAVAILABLE)
_OF_WORK: Final = ("not_found", "ambiguous", "refused", "name_taken", "busy", "books", "key", "peer")
_BODIES: dict[tuple[type[msgspec.Struct], tuple[str, ...]], type[msgspec.Struct]] = {}
"""One type for each body: a document may not hold two of a name."""
_OF_BODY: Final = (problems.TOO_LARGE, problems.WRONG_TYPE)


def name_of(asked: Command[Any, Any]) -> str:
    """Return the name of a command's operation."""
    return f"admin-api/{asked.method.lower()}/{asked.path}"


def openapi() -> Schema:
    """Return the OpenAPI 3.1 document of the admin API."""
    means = (
        "The commands of the command line, against a running hub. A caller is a person with an account: the token is the bearer. "
        "Every use is recorded in the audit trail. Amounts are decimal text in major units, times milliseconds since 1970 in UTC."
    )
    return document([ADMIN_API], title="croupier admin API", version=__version__, means=means)


def _operation(asked: Command[Any, Any]) -> Operation:
    schema = _schema(asked.params)
    fields = {name: one for name, one in schema.items() if name not in asked.in_path}
    codes = (*_ALWAYS, *_OF_WORK, *(() if asked.reads else _OF_BODY))
    return Operation(
        asked.method, f"{ROOT}/{asked.path}", name_of(asked), asked.summary, "operate.md 2",
        (AnswerSpec(200, "Success.", asked.result), *_refusals(codes)),
        bodies=() if asked.reads or not fields else (_body(asked),),
        parameters={name: schema[name] for name in asked.in_path},
        query={name: _without_null(one) for name, one in fields.items()} if asked.reads else {},
        proofs=(("personBearer",),),
    )  # fmt: skip


def _schema(params: type[msgspec.Struct]) -> dict[str, Schema]:
    """Return the schema of each parameter, without references."""
    _, shapes = msgspec.json.schema_components([params], ref_template="{name}")
    own: Any = shapes[params.__name__]
    return {name: _plain(schema, shapes) for name, schema in own["properties"].items()}


def _plain(schema: Schema, shapes: dict[str, Any]) -> Schema:
    target = schema.get("$ref")
    if isinstance(target, str):
        return {name: value for name, value in shapes[target].items() if name != "title"}
    return schema


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter of a query, which is left out and never null."""
    plain = {name: value for name, value in schema.items() if (name, value) != ("default", None)}
    kinds: Any = plain.pop("anyOf", None)
    return plain if kinds is None else {**kinds[0], **plain}


def _body(asked: Command[Any, Any]) -> type[msgspec.Struct]:
    """Return the type of the body: the parameters without those of the path."""
    made = _BODIES.get((asked.params, asked.in_path))
    if made is None:
        made = _BODIES[asked.params, asked.in_path] = _made_body(asked.params, asked.in_path)
    return made


def _made_body(params: type[msgspec.Struct], in_path: tuple[str, ...]) -> type[msgspec.Struct]:
    if not in_path:
        return params
    fields = [one for one in msgspec.structs.fields(params) if one.encode_name not in in_path]
    made = msgspec.defstruct(
        f"{params.__name__}Body",
        [(one.name, one.type, *_default(one)) for one in fields],
        rename={one.name: one.encode_name for one in fields}, kw_only=True, frozen=True, forbid_unknown_fields=True,
    )  # fmt: skip
    made.__doc__ = params.__doc__
    return made


def _default(one: Any) -> tuple[Any, ...]:  # noqa: ANN401 - msgspec's own record
    return () if one.required else (one.default,)


def _refusals(codes: tuple[str, ...]) -> tuple[AnswerSpec, ...]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(problems.STATUSES[code][0], []).append(code)
    return tuple(_refusal(status, by_status[status]) for status in sorted(by_status))


def _refusal(status: int, codes: list[str]) -> AnswerSpec:
    means = " ".join(f"{problems.STATUSES[code][1]}." for code in codes)
    headers = {429: {"Retry-After": "Seconds."}, 401: {"WWW-Authenticate": "Bearer."}}.get(status, {})
    do = " ".join(problems.TO_DO[code] for code in codes)
    only: dict[str, list[object]] = {"status": [status], "code": list(codes)}
    return AnswerSpec(status, means, ProblemRecord, only, headers, problems.MEDIA, do=do)


ADMIN_API: Final = Half(
    "admin API",
    "The commands of the command line for persons with an account.",
    tuple(_operation(one) for one in COMMANDS.values()),
    schemes={"personBearer": {"type": "http", "scheme": "bearer", "description": "The token of an account."}},
    caller="A person with an account.",
)
