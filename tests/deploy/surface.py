"""What of the hub its peers may reach, by the table of endpoints in docs/OPERATIONS.md, and its settings' names."""

from __future__ import annotations

import re
from pathlib import Path

from croupier.kit.settings import SETTINGS as ALL

ROOT = Path(__file__).parents[2]
INSIDE = {"/livez", "/readyz", "/metrics", "/version", "/openapi.json", "/admin-api/v1/openapi.json"}
"""For the operator's own network."""
_ROWS = re.findall(r"^\| `[A-Z]+ (/[^`]*)` \|", (ROOT / "docs" / "OPERATIONS.md").read_text("utf-8"), re.MULTILINE)
PUBLIC = {"/" + path.split("/")[1] for path in _ROWS if path not in INSIDE}
"""First parts of the public paths."""
SETTINGS = {setting.env for setting in ALL} | {f"{setting.env}_FILE" for setting in ALL if setting.is_secret}
