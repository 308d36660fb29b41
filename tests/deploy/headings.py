"""The anchors that a Markdown page has, as code hosts make them from its headings."""

from __future__ import annotations

import re
from pathlib import Path


def anchors_of(page: Path) -> set[str]:
    """Return the anchor of every heading: lower case, blanks as hyphens, without punctuation."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
