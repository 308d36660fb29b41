"""The page of a draw game in the player's frame: the draw that runs, the player's bets, results with their proof, the paytable.

Owns: its HTML, and the two forms. Never: a script, another player's bet, a seed before the results, or a word that urges to bet. It says that the money is
demo money.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from croupier.core.money import format_amount
from croupier.sandbox.draws.crash import STAYS, Crash
from croupier.sandbox.draws.draw_studio import DrawStudio
from croupier.sandbox.draws.paytable import paytable
from croupier.sandbox.draws.records import DrawBet, DrawBetState, Phase, StudioDraw
from croupier.sandbox.draws.table import BetRejected, DrawTable
from croupier.sandbox.studio_games import LaunchedSession
from croupier.sandbox.studio_page import document

MAX_FIELDS = 4
REFRESH_S = 2
"""The page loads itself anew while a draw is played; not while a player may type."""
_HOW = {
    3: "red, black, tie, or the category of the winning hand",
    23: "1 to 10 numbers from 1 to 80, commas between",
    24: "grey, blue, green, gold or violet",
    25: "the multiplier to leave at, such as 1.50, or stays",
}


async def bet_from_page(draws: DrawStudio, launched: LaunchedSession, body: bytes) -> str:
    """Make the bet of the page's form; return what to say of it."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=MAX_FIELDS)
        choice, stake = fields.get("choice", [""])[0].strip(), fields.get("stake", [""])[0].strip()
        bet, answer = await draws.table_of(launched).place(launched, choice, stake)
    except (UnicodeDecodeError, ValueError):
        return "The form could not be read."
    except BetRejected as problem:
        return f"The bet was not taken: {problem}."
    code = "no answer" if answer is None else f"code {answer.code}"
    return f"Bet {bet.bet}: {bet.state.value} ({code})."


def leave_from_page(draws: DrawStudio, launched: LaunchedSession, name: str) -> str:
    """Leave a crash game for the page's button; return what to say of it. Only a bet of this session can be left."""
    table = draws.running_table(launched)
    bet = None if table is None else table.records.bets.get(name)
    if table is None or bet is None or bet.session != launched.session:
        return "There is no such bet of this session."
    try:
        return f"Left at {table.leave(name).choice}."
    except BetRejected as problem:
        return f"Too late or too early: {problem}."


def draw_page(launched: LaunchedSession, table: DrawTable | None, *, balance: str | None, said: str = "") -> str:
    """Return the whole document."""
    if table is None:
        return document(launched, balance, "<p>No draws run in this studio. Start it with --draws.</p>")
    draw = table.draw
    parts = [f"<p><b>{escape(said)}</b></p>" if said else "", _running(draw)]
    if draw is not None and draw.phase is Phase.BETTING:
        parts.append(_form(launched, table))
    parts += [_my_bets(launched, table, draw), _past(launched, table), _paytable(table)]
    waiting = draw is None or draw.phase is not Phase.BETTING
    return document(launched, balance, "".join(parts), refresh_s=REFRESH_S if waiting else None)


def _running(draw: StudioDraw | None) -> str:
    if draw is None:
        return "<p>The next draw is being prepared.</p>"
    told = draw.announcement()
    proof = told["proof"]
    assert isinstance(proof, dict)
    return (
        f"<p>Draw {draw.game_type}/{draw.edition}: {draw.phase.value}</p>"
        f"<p>Commitment <code>{proof['commitment']}</code></p>"
    )


def _form(launched: LaunchedSession, table: DrawTable) -> str:
    how = escape(_HOW[table.game.game_type])
    return (
        f'<form method="post" action="/play/{escape(launched.session)}/draw">'
        f'<label>Bet on ({how}): <input name="choice" required maxlength="64"></label> '
        f'<label>Stake in {escape(launched.currency)}: <input name="stake" required maxlength="20" value="1.00"></label> '
        "<button>Bet</button></form>"
    )


def _my_bets(launched: LaunchedSession, table: DrawTable, draw: StudioDraw | None) -> str:
    mine = [bet for bet in table.records.bets.values() if bet.session == launched.session]
    if not mine:
        return ""
    rows = "".join(f"<tr>{_cells(bet)}<td>{_leave(launched, table, bet, draw=draw)}" for bet in reversed(mine))
    return f"<table><tr><th>draw<th>betId<th>on<th>stake<th>state<th>won<th>{rows}</table>"


def _cells(bet: DrawBet) -> str:
    won = format_amount(bet.win, bet.currency) if bet.state in (DrawBetState.WIN, DrawBetState.SETTLED) else ""
    cells = (str(bet.edition), bet.bet, bet.choice, format_amount(bet.stake, bet.currency), bet.state.value, won)
    return "".join(f"<td>{escape(cell)}" for cell in cells)


def _leave(launched: LaunchedSession, table: DrawTable, bet: DrawBet, *, draw: StudioDraw | None) -> str:
    playing = draw is not None and draw.phase is Phase.ACTION and bet.edition == draw.edition
    if not (playing and isinstance(table.game, Crash) and bet.choice == STAYS and bet.state is DrawBetState.TAKEN):
        return ""
    return f'<form method="post" action="/play/{escape(launched.session)}/leave?bet={bet.bet}"><button>Leave</button></form>'


def _past(launched: LaunchedSession, table: DrawTable) -> str:
    """The draws that ended, with the command that verifies each, and this session's bets on them."""
    rows = []
    for draw, bets in table.ended:
        results = " ".join(map(str, draw.results)) if draw.results is not None else draw.phase.value
        mine = ", ".join(
            f"{bet.choice}: {format_amount(bet.win, bet.currency)}" for bet in bets if bet.session == launched.session
        )
        rows.append(
            f"<tr><td>{draw.edition}<td>{escape(results)}<td>{escape(mine)}<td><code>{escape(_verify(draw))}</code>"
        )
    return f"<table><tr><th>draw<th>results<th>your bets won<th>verify{''.join(rows)}</table>" if rows else ""


def _verify(draw: StudioDraw) -> str:
    told = draw.announcement()["proof"]
    assert isinstance(told, dict)
    results = "" if draw.results is None else f" --results '{','.join(map(str, draw.results))}'"
    name = f"--draw {draw.game_type}/{draw.edition}"
    return f"croupier verify-draw {name} --seed {told['seed']} --commitment {told['commitment']}{results}"


def _paytable(table: DrawTable) -> str:
    rows = "".join(
        f"<tr><td>{escape(row.bet)}<td>{escape(', '.join(f'{o}: {m}' for o, m in row.pays))}<td>{row.percent}"
        for row in paytable(table.game)
    )
    return f"<table><tr><th>bet<th>pays, times the stake<th>return to player{rows}</table>"
