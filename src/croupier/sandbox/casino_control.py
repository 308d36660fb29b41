"""`/_sandbox/…`: the control API of the sandbox casino, with which tests and the demo set behaviours and read its books.

Owns: these JSON calls, which are not part of the contract. Never: reachable from outside, because the servers listen
on loopback alone (serve).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from croupier.core.money import BadAmount, UnknownCurrency
from croupier.kit import strictjson
from croupier.kit.strictjson import Record
from croupier.sandbox.behaviour import BehaviourRule, UnknownBehaviour, parse
from croupier.sandbox.bookings import Booking, plain
from croupier.sandbox.casino_endpoint import CasinoEndpoint
from croupier.sandbox.casino_envelopes import contents
from croupier.sandbox.rubbish import TRAP
from croupier.sandbox.wallet import Account

_Act = Callable[[Record], object]
_BAD = (strictjson.BadJson, strictjson.BadField, BadAmount, UnknownCurrency, UnknownBehaviour, ValueError)


class CasinoControl:
    """The control API of one casino."""

    def __init__(self, endpoint: CasinoEndpoint) -> None:
        self._endpoint = endpoint

    def routes(self) -> list[Route]:
        """Return the routes for the casino's app."""
        return [
            Route("/_sandbox/log", self.log, methods=["GET"]),
            Route("/_sandbox/state", self.state, methods=["GET"]),
            Route("/_sandbox/wallet", self.players, methods=["GET"]),
            Route("/_sandbox/wallet/{player:path}", self.wallet, methods=["GET"]),
            Route("/_sandbox/behaviour", self.rules, methods=["GET", "DELETE"]),
            Route("/_sandbox/behaviour", _acts(self.behave), methods=["POST"]),
            Route("/_sandbox/balance", _acts(self.balance), methods=["POST"]),
            Route("/_sandbox/block", _acts(self.block), methods=["POST"]),
            Route("/_sandbox/token", _acts(self.token), methods=["POST"]),
            Route("/_sandbox/settings", _acts(self.settings), methods=["POST"]),
            Route("/_sandbox/credentials", _acts(self.credentials), methods=["POST"]),
            Route(TRAP, self.trap, methods=["GET", "POST"]),
        ]

    # --- reading ----------------------------------------------------------------------------------------------

    async def log(self, request: Request) -> Response:
        """Return the messages received and sent after `?since=NUMBER`, and every complaint."""
        since = request.query_params.get("since", "0")
        entries = self._endpoint.journal.since(int(since) if since.isdigit() else 0)
        told = [entry.as_json() for entry in entries]
        return JSONResponse({"entries": told, "complaints": list(self._endpoint.journal.complaints)})

    async def state(self, _request: Request) -> Response:
        """Return the number of accepts that are being sent or scheduled."""
        return JSONResponse({"running": len(self._endpoint.running), "PartnerClientId": self._endpoint.hub.client_id})

    async def players(self, _request: Request) -> Response:
        """Return every known player."""
        return JSONResponse({"players": self._endpoint.wallet.players()})

    async def wallet(self, request: Request) -> Response:
        """Return a player's balance and bookings. Unlike the contract's calls, this does not create the player."""
        player = request.path_params["player"]
        if player not in self._endpoint.wallet.players():
            return JSONResponse({"problem": "no such player"}, 404)
        account = self._endpoint.wallet.account(player)
        assert account is not None
        return JSONResponse(_account_json(account, self._endpoint.wallet.bookings_of(player)))

    async def trap(self, _request: Request) -> Response:
        """Record a complaint: only a client that followed the redirect arrives here."""
        self._endpoint.journal.complain("a redirect was followed")
        return JSONResponse({"ErrorCode": 200, "Message": "Success"})

    # --- changing ------------------------------------------------------------------------------------------------

    async def rules(self, request: Request) -> Response:
        """Return the active behaviours; DELETE removes them all."""
        if request.method == "DELETE":
            self._endpoint.dial.clear()
        return JSONResponse({"rules": [_rule_json(rule) for rule in self._endpoint.dial.rules()]})

    def behave(self, asked: Record) -> object:
        """Add a rule: `{"behaviour": WORDS, "player"?, "path"?, "type"?, "next"?: N}`."""
        rule = BehaviourRule(
            parse(strictjson.text(asked, "behaviour")),
            player=strictjson.optional_text(asked, "player"),
            path=strictjson.optional_text(asked, "path"),
            kind=None if asked.get("type") is None else strictjson.integer(asked, "type", low=-2, high=4),
            remaining=None if asked.get("next") is None else strictjson.integer(asked, "next", low=1, high=10**6),
        )
        self._endpoint.dial.turn(rule)
        return _rule_json(rule)

    def balance(self, asked: Record) -> object:
        """Set a balance, and create an unknown player: `{"player", "balance", "currency"?}`."""
        player, balance = strictjson.text(asked, "player"), strictjson.amount_text(asked, "balance")
        account = self._endpoint.wallet.set_balance(player, balance, strictjson.optional_text(asked, "currency"))
        return _account_json(account, [])

    def block(self, asked: Record) -> object:
        """Block or unblock a player: `{"player", "blocked"?: true}`."""
        account = self._endpoint.wallet.account(strictjson.text(asked, "player"))
        if account is None:
            raise strictjson.BadField("player", "is unknown")
        account.blocked = asked.get("blocked") is not False
        return _account_json(account, [])

    def token(self, asked: Record) -> object:
        """Return a refresh token for `{"player"}`, as the casino's page passes it to the hub."""
        return {"RefreshToken": self._endpoint.new_refresh_token(strictjson.text(asked, "player"))}

    def settings(self, asked: Record) -> object:
        """Change settings: `{"refetchKeys"?, "askHub"?, "openDoor"?, "unixTimes"?: bool, "ladder"?: [seconds]}`."""
        endpoint = self._endpoint
        endpoint.hub.refetch_keys = _switch(asked, "refetchKeys", was=endpoint.hub.refetch_keys)
        endpoint.hub.ask_hub = _switch(asked, "askHub", was=endpoint.hub.ask_hub)
        endpoint.wallet.open_door = _switch(asked, "openDoor", was=endpoint.wallet.open_door)
        endpoint.unix_times = _switch(asked, "unixTimes", was=endpoint.unix_times)
        if "ladder" in asked:
            endpoint.hub.resend_delays_s = tuple(float(str(step)) for step in strictjson.listing(asked, "ladder", 50))
        return {
            "refetchKeys": endpoint.hub.refetch_keys, "askHub": endpoint.hub.ask_hub, "openDoor": endpoint.wallet.open_door,
            "unixTimes": endpoint.unix_times, "ladder": endpoint.hub.resend_delays_s,
        }  # fmt: skip

    def credentials(self, asked: Record) -> object:
        """Set the credentials that `croupier casino add` printed: `{"PartnerClientId", "Secret", "HubUrl"?}`."""
        client_id = strictjson.integer(asked, "PartnerClientId", low=1, high=2**53)
        self._endpoint.hub.set_credentials(client_id, strictjson.text(asked, "Secret", 512))
        hub_url = strictjson.optional_text(asked, "HubUrl", 2048)
        if hub_url is not None:
            self._endpoint.hub.hub_url = hub_url.rstrip("/")
        return {"PartnerClientId": client_id}


def _acts(act: _Act) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler as a POST that takes and returns a JSON object. A bad request gets its problem in one line."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(act(strictjson.record(strictjson.loads(await request.body()))))
        except _BAD as problem:
            return JSONResponse({"problem": str(problem)}, 400)

    return endpoint


def _switch(asked: Record, field: str, *, was: bool) -> bool:
    return strictjson.boolean(asked, field) if field in asked else was


def _rule_json(rule: BehaviourRule) -> object:
    return {
        "behaviour": rule.behaviour.words, "player": rule.player, "path": rule.path, "type": rule.kind,
        "next": rule.remaining,
    }  # fmt: skip


def _account_json(account: Account, bookings: Iterable[Booking]) -> object:
    """Return the account as JSON. `change` is balance minus opening balance, as signed decimal text."""
    currency = account.currency
    change = account.balance - account.opening
    return {
        "player": account.player,
        "currency": currency,
        "balance": plain(account.balance, currency),
        "opening": plain(account.opening, currency),
        "change": plain(change, currency),
        "blocked": account.blocked,
        "bookings": [{**contents(booking), "bookedMs": booking.booked_ms} for booking in bookings],
    }
