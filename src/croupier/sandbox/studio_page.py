"""The player's page of the sandbox studio: a button for each stake, and for each bet its id, its end and its trace command.

Owns: its HTML. Never: a script, or real money: every page says that it is demo money.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from croupier.sandbox.studio_games import LaunchedSession
from croupier.sandbox.studio_rounds import End, PlayedBet

STAKES = ("1", "5", "10")
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"

_STYLE = (
    "body{font:16px system-ui,sans-serif;margin:0;background:#10201c;color:#eef5f1;text-align:center}"
    "p.demo{background:#f2c14e;color:#221a00;margin:0;padding:.5rem;font-weight:700;letter-spacing:.1em}"
    "table{margin:1rem auto;border-spacing:1rem .3rem;text-align:left}code{user-select:all}"
    "form{display:inline-block;margin:.5rem}button{font:inherit;padding:.6rem 1.2rem}"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One bet on this page, with its stake and its win if it is settled."""

    played: PlayedBet
    stake: str
    win: str


def page(launched: LaunchedSession, *, balance: str | None, counterparty: str, bets: Sequence[Shown] = ()) -> str:
    """Return the whole document, with the newest bet first."""
    buttons = "".join(
        f'<form method="post" action="/play/{escape(launched.session)}/bet?stake={stake}">'
        f"<button>Bet {stake} {escape(launched.currency)}</button></form>"
        for stake in STAKES
    )
    return document(launched, balance, f"{buttons}{_table(launched, counterparty, bets)}")


def document(launched: LaunchedSession, balance: str | None, body: str, *, refresh_s: int | None = None) -> str:
    """Return a whole page around this body: name, balance, and that it is demo money. `body` is HTML already."""
    shown = "unknown" if balance is None else f"{escape(balance)} {escape(launched.currency)}"
    address = f"/play/{escape(launched.session)}?plain"
    refresh = "" if refresh_s is None else f'<meta http-equiv="refresh" content="{refresh_s};url={address}">'
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(launched.game_name)}</title>{refresh}'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f'<p class="demo">DEMO MONEY</p><h1>{escape(launched.game_name)}</h1>'
        f"<p>Balance: {shown}</p>{body}</html>"
    )


def _table(launched: LaunchedSession, counterparty: str, bets: Sequence[Shown]) -> str:
    if not bets:
        return "<p>Place your bet.</p>"
    rows = "".join(_row(launched, counterparty, shown) for shown in reversed(bets))
    return f"<table><tr><th>betId<th>stake<th>state<th>what happened<th>the whole story{rows}</table>"


def _row(launched: LaunchedSession, counterparty: str, shown: Shown) -> str:
    bet = shown.played.bet
    # A demo bet is not in the ledger, so it has no trace.
    trace = "demo: in no book" if launched.demo else f"<code>croupier trace {escape(counterparty)}:{escape(bet)}</code>"
    cells = (escape(bet), escape(shown.stake), shown.played.end.value, escape(_words(shown)), trace)
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells)


def _words(shown: Shown) -> str:
    """Return the end of the bet as text."""
    last = shown.played.last
    code = "no answer" if last is None else f"code {last.code}, HTTP {last.status}"
    match shown.played.end:
        case End.SETTLED:
            return "lost" if shown.win == "0" else f"won {shown.win}"
        case End.REFUSED:
            return f"the stake was not taken ({code})"
        case End.REFUNDED:
            return "nobody knew in time whether it was taken, so it was refunded"
        case End.STUCK:
            return f"the hub has not accepted its win or refund ({code}): people must look"
