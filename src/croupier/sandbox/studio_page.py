"""The page a player of the sandbox studio sees: one button per stake, and what the last round brought.

Owns: its HTML. Never: a script, and never real money: it says so on every page.
"""

from __future__ import annotations

from html import escape

from croupier.sandbox.studio_games import Launched

STAKES = ("1", "5", "10")
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"

_STYLE = (
    "body{font:16px system-ui,sans-serif;margin:0;background:#10201c;color:#eef5f1;text-align:center}"
    "p.demo{background:#f2c14e;color:#221a00;margin:0;padding:.5rem;font-weight:700;letter-spacing:.1em}"
    "form{display:inline-block;margin:.5rem}button{font:inherit;padding:.6rem 1.2rem}"
)


def page(launched: Launched, *, balance: str | None, said: str) -> str:
    """The whole document."""
    buttons = "".join(
        f'<form method="post" action="/play/{escape(launched.session)}/bet?stake={stake}">'
        f"<button>Bet {stake} {escape(launched.currency)}</button></form>"
        for stake in STAKES
    )
    shown = "unknown" if balance is None else f"{escape(balance)} {escape(launched.currency)}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(launched.game_name)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f'<p class="demo">DEMO MONEY</p><h1>{escape(launched.game_name)}</h1>'
        f"<p>Balance: {shown}</p><p>{escape(said)}</p>{buttons}</html>"
    )
