"""Mail goes to a real socket; what a server refuses is said in its words, and nothing goes out in the clear."""

from __future__ import annotations

import base64
import socket
from email import message_from_string, policy
from pathlib import Path

import pytest

from croupier.kit.mail import BadServer, Mail, MailRefused, MailServer, send
from tests.kit.authority import Authority
from tests.kit.mail_server import mail_server

LETTER = Mail("hub@casino.example", ("ann@casino.example", "bo@casino.example"), "Größe", "Zeile 1\nZeile 2\n", "msg_1")


def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as box:
        send(MailServer.parse(f"smtp://ann@127.0.0.1:{box.port}"), "pass word", LETTER)
        (taken,) = box.taken
    read = message_from_string(taken, policy=policy.default)
    assert (read["Subject"], read["To"]) == ("Größe", "ann@casino.example, bo@casino.example")
    assert read["Message-ID"] == "<msg_1@croupier>"
    assert read.get_content().replace("\r\n", "\n") == LETTER.text
    (login,) = box.logins
    assert base64.b64decode(login.split(" ")[2]) == b"\0ann\0pass word"


def test_refusals_are_told_in_the_servers_words() -> None:
    with mail_server() as box:
        server = MailServer.parse(f"smtp://127.0.0.1:{box.port}")
        box.recipients = "550 unknown"
        with pytest.raises(MailRefused, match=r"the server refused ann@casino\.example, bo@casino\.example"):
            send(server, "", LETTER)
        box.recipients, box.after_data = "250 ok", "552 too large"
        with pytest.raises(MailRefused, match="552 too large"):
            send(server, "", LETTER)


def test_a_server_that_is_not_there_is_a_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(MailRefused, match="refused"):
        send(MailServer.parse(f"smtp://127.0.0.1:{port}"), "", LETTER)


def test_without_tls_nothing_leaves_for_another_machine() -> None:
    with mail_server() as box:
        elsewhere = MailServer("127.0.0.2", box.port, "", tls=False)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.2", box.port)) == 0:
                pytest.skip("the server listens on 127.0.0.1 alone")
        with pytest.raises(MailRefused):
            send(elsewhere, "", LETTER)
        assert box.taken == []


@pytest.mark.parametrize(("scheme", "at_once"), [("smtp", False), ("smtps", True)])
def test_with_tls_nothing_is_sent_before_the_server_is_known(
    scheme: str, at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STARTTLS and TLS from the first byte, at a server whose authority the machine trusts, and at one that it does not."""
    trusted = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.ca))
    with mail_server(trusted.server(demands=False), at_once=at_once) as box:
        send(MailServer.parse(f"{scheme}://ann@127.0.0.1:{box.port}"), "pass word", LETTER)
        assert (len(box.taken), len(box.logins), box.encrypted) == (1, 1, True)
    stranger = Authority(tmp_path, "stranger")
    with mail_server(stranger.server(demands=False), at_once=at_once) as box:
        with pytest.raises(MailRefused, match="certificate verify failed"):
            send(MailServer.parse(f"{scheme}://ann@127.0.0.1:{box.port}"), "pass word", LETTER)
        assert (box.taken, box.logins) == ([], [])


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, "", tls=False)),
        ("smtps://a%40b@mail.example", MailServer("mail.example", 465, "a@b", tls=True)),
        ("smtp://mail.example:25/", MailServer("mail.example", 25, "", tls=False)),
    ],
)
def test_a_server_is_read(text: str, server: MailServer) -> None:
    assert MailServer.parse(text) == server


@pytest.mark.parametrize(
    "text", ["mail.example", "http://mail.example", "smtp://", "smtp://a:b@mail.example", "smtp://m:x", "smtp://m/x"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(BadServer):
        MailServer.parse(text)
