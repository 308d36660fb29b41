"""A mail server of one test: it speaks SMTP on a real socket, and keeps what it was sent."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any


@dataclass
class MailBox:
    """What came, and how the server behaves."""

    tls: ssl.SSLContext | None = None
    """With it the server offers STARTTLS."""
    at_once: bool = False
    """Whether it is encrypted from the first byte."""
    port: int = 0
    taken: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    recipients: str = "250 ok"
    """The answer to each recipient."""
    after_data: str = "250 ok"
    encrypted: bool = False
    """Whether a conversation went on with TLS."""


class _Conversation(socketserver.StreamRequestHandler):
    def __init__(self, *args: Any, box: MailBox) -> None:
        self._box = box
        super().__init__(*args)

    def handle(self) -> None:
        if self._box.at_once and not self._encrypt():
            return
        self._say("220 here")
        while (line := self.rfile.readline().decode().strip()) and self._answer(line):
            pass
        self.connection.close()

    def _answer(self, line: str) -> bool:
        box, verb = self._box, line.split(" ", 1)[0].upper()
        if verb == "STARTTLS" and box.tls is not None:
            self._say("220 go on")
            return self._encrypt()
        if verb == "DATA":
            self._take()
            return True
        if verb == "AUTH":
            box.logins.append(line)
        offers = "250-STARTTLS\r\n" if box.tls is not None and not box.encrypted else ""
        known = {
            "EHLO": f"250-here\r\n{offers}250 AUTH PLAIN", "RCPT": box.recipients, "AUTH": "235 ok", "QUIT": "221 bye",
        }  # fmt: skip
        self._say(known.get(verb, "250 ok"))
        return verb != "QUIT"

    def _take(self) -> None:
        self._say("354 go on")
        lines: list[str] = []
        while (text := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(text)
        self._box.taken.append("".join(lines))
        self._say(self._box.after_data)

    def _encrypt(self) -> bool:
        assert self._box.tls is not None
        try:
            self.connection = self._box.tls.wrap_socket(self.connection, server_side=True)
        except OSError:
            return False  # the other side does not trust us
        self.rfile.close()
        self.rfile = self.connection.makefile("rb")
        self._box.encrypted = True
        return True

    def _say(self, text: str) -> None:
        self.connection.sendall(f"{text}\r\n".encode())


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, at_once: bool = False) -> Iterator[MailBox]:
    """Serve in a thread until the test is over."""
    box = MailBox(tls, at_once)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(_Conversation, box=box)) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()
