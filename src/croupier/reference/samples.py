"""Samples of one call in curl, Python, JavaScript and PHP, which run as they are with the variables that they name.

Owns: their text. Never: what a call means. Each reads the hub's address from `HUB`, a token from `TOKEN`, and a provider's
id and secret from `COUNTERPARTY` and `SECRET`. None needs a library.
"""

from __future__ import annotations

import json
import pprint
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class SampleCall:
    """One call. `body` is the value of its JSON, or NO_BODY."""

    method: str
    path: str
    body: object = _MISSING
    bearer: bool = False
    signed: tuple[str, ...] = ()
    """The headers of a signed call: who calls, when, the number of the request, and the signature over these and the body."""

    @property
    def has_body(self) -> bool:
        """Return whether the call has a body."""
        return self.body is not _MISSING

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the names of the variables that a sample reads."""
        return ("HUB", *(("TOKEN",) if self.bearer else ()), *(("COUNTERPARTY", "SECRET") if self.signed else ()))


def samples(call: SampleCall) -> dict[str, str]:
    """Return the name of each language to its sample."""
    return {name: make(call).strip("\n") + "\n" for name, make in _LANGUAGES.items()}


def _compact(call: SampleCall) -> str:
    return json.dumps(call.body, ensure_ascii=False, separators=(",", ":"), sort_keys=bool(call.signed))


def _quoted(text: str) -> str:
    """Return a text in single quotes, for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _curl(call: SampleCall) -> str:
    lines: list[str] = []
    if call.signed:
        told = '"$BODY.' if call.has_body else '"'
        lines += [f"BODY={_quoted(_compact(call))}"] if call.has_body else []
        lines += [
            "AT=$(date +%s000) ID=$(openssl rand -hex 16)",
            f'SIGN=$(printf %s {told}$COUNTERPARTY.$AT.$ID" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d" " -f1)',
        ]
    parts = [f'curl -s "$HUB{call.path}"']
    if call.method != ("POST" if call.has_body else "GET"):
        parts[0] = f'curl -s -X {call.method} "$HUB{call.path}"'
    parts += ['-H "Authorization: Bearer $TOKEN"'] if call.bearer else []
    if call.signed:
        values = zip(call.signed, ("COUNTERPARTY", "AT", "ID", "SIGN"), strict=True)
        headers = [f'-H "{name}: ${variable}"' for name, variable in values]
        parts += [" ".join(headers[:2]), " ".join(headers[2:])]
    if call.has_body:
        parts += ["-H 'Content-Type: application/json'"]
        parts += ['-d "$BODY"' if call.signed else f"-d {_quoted(_compact(call))}"]
    return "\n".join([*lines, " \\\n  ".join(parts)])


def _python(call: SampleCall) -> str:
    imports = ["json"] if call.has_body else []
    imports += ["hashlib", "hmac", "secrets", "time"] if call.signed else []
    lines = [f"import {name}" for name in sorted([*imports, "os", "urllib.error", "urllib.request"])] + [""]
    headers = ['"Content-Type": "application/json"'] if call.has_body else []
    if call.has_body:
        dumped = ', separators=(",", ":"), sort_keys=True' if call.signed else ""
        lines += [f"body = json.dumps({_python_value(call.body)}{dumped}).encode()"]
    if call.bearer:
        headers += ['"Authorization": f"Bearer {os.environ[\'TOKEN\']}"']
    if call.signed:
        lines += [
            'who, at, number = os.environ["COUNTERPARTY"], str(time.time_ns() // 1_000_000), secrets.token_hex(16)',
            f'signed = {"body + b" if call.has_body else "b"}"{"." if call.has_body else ""}" + f"{{who}}.{{at}}.{{number}}".encode()',
            'sign = hmac.new(os.environ["SECRET"].encode(), signed, hashlib.sha256).hexdigest()',
        ]
        headers += _signature(call, ("who", "at", "number", "sign"))
    lines += [
        "request = urllib.request.Request(",
        f'    os.environ["HUB"] + {json.dumps(call.path)},',
        f"    {'data=body, ' if call.has_body else ''}method={json.dumps(call.method)},",
        "    headers={" + ", ".join(headers) + "},",
        ")",
        "try:",
        "    answer = urllib.request.urlopen(request, timeout=30)",
        "except urllib.error.HTTPError as refused:",
        "    answer = refused  # it has a body too: the code says why",
        "print(answer.status, answer.read().decode())",
    ]
    return "\n".join(lines)


def _signature(call: SampleCall, variables: tuple[str, ...]) -> list[str]:
    """Return the headers of a signature with the variables that hold them."""
    return [f'"{name}": {variable}' for name, variable in zip(call.signed, variables, strict=True)]


def _python_value(value: object) -> str:
    """Return a literal, broken into lines where it is long."""
    return pprint.pformat(value, width=88, sort_dicts=False).replace("\n", "\n" + " " * len("body = json.dumps("))


def _javascript(call: SampleCall) -> str:
    lines = ['import { createHmac, randomBytes } from "node:crypto";', ""] if call.signed else []
    headers = ['"Content-Type": "application/json"'] if call.has_body else []
    lines += [f"const body = JSON.stringify({_javascript_value(call)});"] if call.has_body else []
    headers += ["Authorization: `Bearer ${process.env.TOKEN}`"] if call.bearer else []
    if call.signed:
        told = "${body}." if call.has_body else ""
        lines += [
            'const who = process.env.COUNTERPARTY, at = String(new Date().getTime()), id = randomBytes(16).toString("hex");',
            f'const sign = createHmac("sha256", process.env.SECRET).update(`{told}${{who}}.${{at}}.${{id}}`).digest("hex");',
        ]
        headers += _signature(call, ("who", "at", "id", "sign"))
    lines += [
        f"const answer = await fetch(process.env.HUB + {json.dumps(call.path)}, {{",
        f'  method: "{call.method}",',
        *(["  headers: { " + ", ".join(headers) + " },"] if headers else []),
        *(["  body,"] if call.has_body else []),
        "});",
        "console.log(answer.status, await answer.text());",
    ]
    return "\n".join(lines)


def _javascript_value(call: SampleCall) -> str:
    wide = json.dumps(call.body, ensure_ascii=False)
    return wide if len(wide) <= 72 else json.dumps(call.body, ensure_ascii=False, indent=2)


def _php(call: SampleCall) -> str:
    lines = ["<?php"]
    headers = ['"Content-Type: application/json"'] if call.has_body else []
    lines += [f"$body = json_encode({_php_value(call.body)});"] if call.has_body else []
    headers += ['"Authorization: Bearer " . getenv("TOKEN")'] if call.bearer else []
    if call.signed:
        told = '"$body.' if call.has_body else '"'
        lines += [
            '$who = getenv("COUNTERPARTY"); $at = (string) (int) (microtime(true) * 1000); $id = bin2hex(random_bytes(16));',
            f'$sign = hash_hmac("sha256", {told}$who.$at.$id", getenv("SECRET"));',
        ]
        named = zip(call.signed, ("who", "at", "id", "sign"), strict=True)
        headers += [f'"{name}: ${variable}"' for name, variable in named]
    lines += [
        '$answer = file_get_contents(getenv("HUB") . '
        + _php_value(call.path)
        + ', false, stream_context_create(["http" => [',
        f'    "method" => "{call.method}", "ignore_errors" => true, "timeout" => 30,',
        *(['    "header" => [' + ", ".join(headers) + "],"] if headers else []),
        *(['    "content" => $body,'] if call.has_body else []),
        "]]));",
        'echo $http_response_header[0], "\\n", $answer, "\\n";',
    ]
    return "\n".join(lines)


def _php_value(value: object) -> str:
    """Return a literal of PHP. Single quotes: nothing in them is a variable."""
    if isinstance(value, Mapping):
        return "[" + ", ".join(f"{_php_value(key)} => {_php_value(one)}" for key, one in value.items()) + "]"
    if isinstance(value, list):
        return "[" + ", ".join(map(_php_value, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return json.dumps(value)


_LANGUAGES: Final[dict[str, Callable[[SampleCall], str]]] = {
    "curl": _curl,
    "Python": _python,
    "JavaScript": _javascript,
    "PHP": _php,
}
