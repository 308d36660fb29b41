"""A casino's wallet for a Croupier hub, from docs/protocols/betcore_v2.md alone: Python's standard library, nothing else.

    croupier casino add Aurora --url http://127.0.0.1:9001 --currency EUR --secret-file aurora.json
    python examples/casino_wallet.py --credentials aurora.json

It books at once and says so in its answer ("the outcome itself"), so it sends no accepts. A real wallet keeps what is in
`Wallet` in its database, each booking with the balance in one transaction, unique by (BetId, TransactionType).
"""

import argparse
import json
import threading
import time
import urllib.error
import urllib.request
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EXISTS, NO_USER, NO_FUNDS, NO_BET, WRONG_DATA = 103804, 102145, 103802, 103805, 103753
STAKE, PAYOUT, RETURN, PAYOUT_RETURN, JACKPOT = -1, 1, 2, -2, 4


class Hub:
    """The hub as this casino calls it: a bearer that is fetched anew before it ends, and the check of what the hub sent."""

    def __init__(self, url, credentials):
        self.url, self.credentials, self.bearer, self.until = f"{url}/mis-api/api/v2", credentials, "", 0.0

    def post(self, path, body, headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def opened(self, token):
        """What a JWT of the hub carries, or None if it is not one that the hub has just sent to us."""
        if time.monotonic() > self.until:
            value = self.post("/auth/token", self.credentials)["Value"]
            self.bearer, self.until = value["AccessToken"], time.monotonic() + value["ExpiresIn"] - 60
        try:
            told = self.post("/auth/verify", token, {"Authorization": f"Bearer {self.bearer}"})
        except urllib.error.HTTPError:
            self.until = 0.0  # 401: the bearer is good no more
            raise
        return json.loads(told["Value"]["Data"], parse_float=Decimal) if told["ErrorCode"] == 200 else None


class Wallet:
    """Balances, and every booking under its key: a payment that comes again is never booked again."""

    def __init__(self, players):
        self.balances = {name: Decimal("1000.00") for name in players}
        self.booked = {}
        self.lock = threading.Lock()

    def make(self, wanted):
        """Book one payment: ErrorCode and Value of the answer."""
        subject, kind = wanted.get("BetId", wanted.get("CashbackId")), wanted["TransactionType"]
        key, player = ("BetId" in wanted, subject, kind), wanted["PartnerUserId"]
        with self.lock:
            if key in self.booked:
                return EXISTS, self.booked[key]
            if player not in self.balances:
                return NO_USER, None
            takes = kind in (STAKE, PAYOUT_RETURN)
            before = {PAYOUT: STAKE, RETURN: STAKE, PAYOUT_RETURN: PAYOUT}.get(kind)
            if "CashbackId" in wanted:  # 1 pays it, -1 takes it back
                before = 1 if kind == -1 else None
            if before is not None and (key[0], subject, before) not in self.booked:
                return NO_BET, None
            moved = Decimal(wanted["Amount"]) - Decimal(wanted.get("TaxAmount", "0"))
            if takes and moved > self.balances[player]:
                return NO_FUNDS, None
            self.balances[player] += -moved if takes else moved
            self.booked[key] = {**wanted, "PartnerTransactionId": f"tx-{len(self.booked) + 1}"}
            return 200, self.booked[key]

    def answer(self, path, data):
        """ErrorCode and Value for one call of the hub."""
        if path == "/users/data":
            balance = self.balances.get(data["PartnerUserId"])
            return (NO_USER, None) if balance is None else (200, {"Balance": str(balance)})
        if path in ("/payments/make", "/cashback-payments/make"):
            return self.make(data)
        if path == "/payments/info":
            return 200, [row for (bet, subject, _), row in self.booked.items() if bet and subject == data["BetId"]]
        if path == "/payments/close":
            return 200, None
        return None, None  # users/auth and make-list: the hub sends each payment of a list again alone


class Handler(BaseHTTPRequestHandler):
    """One call of the hub: the body is a JSON string that holds a JWT."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            data = self.server.hub.opened(json.loads(body))
            code, value = (WRONG_DATA, None) if data is None else self.server.wallet.answer(self.path, data)
        except Exception as problem:  # not booked, and not refused either: the hub asks again
            self.log_error("%r", problem)
            return self.say(500, {"ErrorCode": 500, "Message": "System error"})
        if code is None:
            return self.say(404, {"ErrorCode": 404, "Message": "No such call"})
        envelope = {"ErrorCode": code, "Message": "Success" if code == 200 else "Refused"}
        return self.say(200, envelope if value is None else {**envelope, "Value": value})

    def say(self, status, envelope):
        body = json.dumps(envelope, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description="A casino's wallet in memory: demo money.")
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--hub", default="http://127.0.0.1:8080")
    parser.add_argument(
        "--credentials", type=Path, required=True, help="the file of `croupier casino add --secret-file`"
    )
    parser.add_argument("--player", action="append", help="who has an account of 1000.00; anna if nothing is said")
    told = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", told.port), Handler)
    server.hub = Hub(told.hub, json.loads(told.credentials.read_text("utf-8")))
    server.wallet = Wallet(told.player or ["anna"])
    print(f"the wallet answers on http://127.0.0.1:{told.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
