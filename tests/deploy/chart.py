"""Renders the chart in deploy/helm, for machines without helm: the few constructs that it uses, and no other.

A construct that is not known here fails the test, so that the chart stays within what was rendered and looked at.
`helm template` itself is used where it is installed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "croupier"
RELEASE = "hub"


def rendered(**changes: Any) -> list[dict[str, Any]]:
    """Return all objects of the chart. `changes`: top-level values instead of those of values.yaml."""
    values = {**yaml.safe_load((CHART / "values.yaml").read_text("utf-8")), **changes}
    objects = []
    for template in sorted((CHART / "templates").glob("*.yaml")):
        objects += [made for made in yaml.safe_load_all(render(template.read_text("utf-8"), values)) if made]
    return objects


def render(text: str, values: dict[str, Any]) -> str:
    """Return one template with its values. Raises ValueError for a construct that the chart must not use."""
    whole = re.sub(
        r"\{\{- if \.Values\.([\w.]+) \}\}\n(.*?)\{\{- end \}\}\n",
        lambda m: m[2] if _at(values, m[1]) else "",
        text,
        flags=re.DOTALL,
    )
    blocks = re.sub(
        r"\{\{ toYaml \.Values\.([\w.]+) \| indent (\d+) \}\}", lambda m: _indented(_at(values, m[1]), int(m[2])), whole
    )
    plain = re.sub(r"\{\{ \.Values\.([\w.]+) \}\}", lambda m: str(_at(values, m[1])), blocks)
    done = plain.replace("{{ .Release.Name }}", RELEASE)
    if "{{" in done:
        raise ValueError(done[done.index("{{") :][:60])
    return done


def _at(values: dict[str, Any], path: str) -> Any:
    found: Any = values
    for name in path.split("."):
        found = found[name]
    return found


def _indented(value: object, blanks: int) -> str:
    text = yaml.safe_dump(value, default_flow_style=False).rstrip("\n")
    return "\n".join(" " * blanks + line for line in text.splitlines())
