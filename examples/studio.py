"""A game studio for a Croupier hub, from docs/protocols/betcore_v1.md alone: Python's standard library, nothing else.

    croupier provider add "Kite Studio" --url http://127.0.0.1:9002 --secret-file kite.json
    python examples/studio.py --credentials kite.json
    python examples/studio.py --play 10.00 25.00     # a round in the session that was opened last; prints its betId

Who plays says what is won: demo money. A real studio keeps each bet before its call, so that it can repeat it.
"""

import argparse
import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

GAMES = [{"gameId": "lantern-dice", "name": "Lantern Dice", "gameCategory": "casual"}]
FRESH_MS = 30_000


def signature(secret, *parts):
    """X-Sign over body, counterparty, timestamp and request id; without a body there is no first part."""
    return hmac.new(secret.encode(), ".".join(filter(None, parts)).encode(), hashlib.sha256).hexdigest()


class Studio:
    """One provider: what it is known by, its sessions, its calls on the hub."""

    def __init__(self, hub, credentials, url):
        self.hub, self.who, self.secret, self.url = hub, credentials["CounterpartyId"], credentials["Secret"], url
        self.sessions = []

    def knows(self, headers, body):
        """Whether the hub has signed this, and just now."""
        given = [headers.get(name, "") for name in ("X-Counterparty-Id", "X-Timestamp", "X-Request-Id")]
        right = hmac.compare_digest(signature(self.secret, body, *given), headers.get("X-Sign", ""))
        return right and abs(time.time() * 1000 - int(given[1])) < FRESH_MS

    def call(self, session, verb, document):
        """One call on the hub: its answer, with the HTTP status 504 for silence."""
        body = json.dumps(document, sort_keys=True, separators=(",", ":"))
        stamp, request_id = str(int(time.time() * 1000)), secrets.token_hex(16)
        headers = {
            "Content-Type": "application/json",
            "X-Counterparty-Id": self.who,
            "X-Timestamp": stamp,
            "X-Request-Id": request_id,
            "X-Sign": signature(self.secret, body, self.who, stamp, request_id),
        }
        url = f"{self.hub}/v1/sessions/{session}/bets/{verb}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=7) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return json.load(refused)
        except OSError:
            return {"_responseCode": 99}

    def play(self, stake, win):
        """One round: the stake, once more if nobody knows, then its refund or its win, until that is accepted."""
        session = self.sessions[-1]
        bet = {"betId": f"b-{secrets.token_hex(6)}", "gameRoundId": f"r-{secrets.token_hex(6)}"}
        for _ in range(2):
            told = self.call(session, "pay-in", {**bet, "betAmount": stake})
            if told["_responseCode"] != 99:
                break
        if 1 < told["_responseCode"] <= 8:
            return {**bet, "end": "refused", "told": told}
        verb, more = ("pay-out", {"winAmount": win}) if told["_responseCode"] == 1 else ("refund", {})
        told = self.call(session, verb, {**bet, **more})
        while told["_responseCode"] != 1:  # for ever: it is the player's money
            time.sleep(1)
            told = self.call(session, verb, {**bet, **more})
        return {**bet, "end": verb, "told": told}


class Handler(BaseHTTPRequestHandler):
    """What the hub asks, and the page that plays."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.from_hub("", lambda: GAMES)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/play":  # a player's browser, in a real studio
            told = json.loads(body)
            return self.say(200, self.server.studio.play(told["stake"], told["win"]))
        return self.from_hub(body, lambda: self.launched(json.loads(body)))

    def launched(self, wanted):
        self.server.studio.sessions.append(wanted["sessionId"])
        return {"frameUri": f"{self.server.studio.url}/play?session={wanted['sessionId']}"}

    def from_hub(self, body, work):
        known = self.server.studio.knows(self.headers, body)
        return self.say(200, work()) if known else self.say(401, {"_responseCode": 8})

    def say(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description="A studio with one game: demo money.")
    parser.add_argument("--port", type=int, default=9002)
    parser.add_argument("--hub", default="http://127.0.0.1:8080")
    parser.add_argument("--credentials", type=Path, help="the file of `croupier provider add --secret-file`")
    parser.add_argument("--play", nargs=2, metavar=("STAKE", "WIN"), help="play a round at the studio that runs")
    told = parser.parse_args()
    url = f"http://127.0.0.1:{told.port}"
    if told.play:
        body = json.dumps(dict(zip(("stake", "win"), told.play, strict=True))).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{url}/play", body), timeout=60) as answer:
            print(json.load(answer)["betId"])
        return
    if told.credentials is None:
        parser.error("--credentials is needed to run the studio")
    server = ThreadingHTTPServer(("127.0.0.1", told.port), Handler)
    server.studio = Studio(told.hub, json.loads(told.credentials.read_text("utf-8")), url)
    print(f"the studio answers on {url}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
