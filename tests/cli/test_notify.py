"""`croupier notify`: targets are added, tried, switched and removed, and each refusal says what to do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import time

import pytest

from croupier.kit import webhook
from tests.cli.conftest import Cli
from tests.kit.mail_server import mail_server
from tests.kit.webhook_receiver import is_genuine

OWN = webhook.secret_of(b"s" * 24)


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real server that takes what is posted."""
    made = Receiver()

    class Taken(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Taken) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/croupier"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        server.shutdown()


@pytest.mark.slow
def test_a_webhook_is_added_tried_switched_and_removed(cli: Cli, receiver: Receiver) -> None:
    made = cli.json("notify", "add", "webhook", "on-call", "--url", receiver.url)
    assert cli.json("notify", "test", "on-call")["delivered"] is True
    ((headers, body),) = receiver.got
    assert is_genuine(made["Secret"], headers, body, now_s=int(time()))
    receiver.status = 500
    assert "did not take the message: it answered 500" in cli.complaint("notify", "test", "on-call")
    assert cli.json("notify", "set", "on-call", "--off")["enabled"] is False
    (shown,) = cli.json("notify", "list")
    assert (shown["name"], shown["enabled"], "Secret" in json.dumps(shown)) == ("on-call", False, False)
    assert "there is a target on-call already" in cli.complaint(
        "notify", "add", "webhook", "on-call", "--url", receiver.url
    )
    cli.ok("notify", "remove", "on-call")
    assert cli.json("notify", "list") == []


@pytest.mark.slow
def test_a_secret_in_the_command_itself_is_refused_and_not_repeated(cli: Cli) -> None:
    """The list of processes shows every word of a command."""
    complaint = cli.complaint(
        "notify", "add", "webhook", "pager", "--url", "https://a.example", "--secret", OWN, code=2
    )
    assert "standard input" in complaint
    assert OWN not in complaint


def test_a_receiver_may_bring_its_own_secret(cli: Cli, receiver: Receiver) -> None:
    said = cli("notify", "add", "webhook", "pager", "--url", receiver.url, "--secret", "-", "--json", typed=f"{OWN}\n")
    assert said.code == 0, said.err
    cli.ok("notify", "test", "pager")
    assert is_genuine(OWN, *receiver.got[0], now_s=int(time()))
    cli.ok("notify", "remove", "pager")


@pytest.mark.slow
def test_a_mail_goes_out(cli: Cli) -> None:
    with mail_server() as box:
        server = f"smtp://127.0.0.1:{box.port}"
        cli.ok("notify", "add", "mail", "night", "--server", server, "--from", "hub@a.example", "--to", "ann@a.example")
        assert f"{server} took the test message" in cli.ok("notify", "test", "night").out
        assert "This is a test" in box.taken[0]
        box.recipients = "550 unknown"
        assert "the server refused ann@a.example" in cli.complaint("notify", "test", "night")
    cli.ok("notify", "remove", "night")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("webhook", "x", "--url", "ftp://a.example"), "http:// or https://"),
        (("webhook", "x", "--url", "https://a:b@a.example"), "without a user in it"),
        (("webhook", "", "--url", "https://a.example"), "NAME must have 1 to 128 characters"),
        (("mail", "x", "--server", "a.example", "--from", "a@b.example", "--to", "a@b.example"), "smtp://host:587"),
        (("mail", "x", "--server", "smtp://a:b@c", "--from", "a@b.example", "--to", "a@b.example"), "give it apart"),
        (
            ("mail", "x", "--server", "smtp://a", "--from", "nobody", "--to", "a@b.example"),
            "'nobody' is no mail address",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(cli: Cli, words: tuple[str, ...], says: str) -> None:
    assert says in cli.complaint("notify", "add", *words, code=2)


def test_an_unknown_target_is_refused_with_those_there_are(cli: Cli) -> None:
    assert "nobody called night is told of incidents" in cli.complaint("notify", "test", "night")
