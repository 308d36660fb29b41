"""`python -m croupier.cli` runs `croupier`."""

from croupier.cli import main

main()
