"""A mail server of one test: it speaks SMTP on a real socket, and keeps what it was sent."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailBox:
    """What came, and how the server behaves."""

    port: int = 0
    taken: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    recipients: str = "250 ok"
    """The answer to each recipient."""
    after_data: str = "250 ok"


@contextmanager
def mail_server() -> Iterator[MailBox]:
    """Serve in a thread until the test is over."""
    box = MailBox()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while (line := self.rfile.readline().decode().strip()) and self._answer(line):
                pass

        def _answer(self, line: str) -> bool:
            verb = line.split(" ", 1)[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                lines: list[str] = []
                while (text := self.rfile.readline().decode()) not in (".\r\n", ""):
                    lines.append(text)
                box.taken.append("".join(lines))
                self._say(box.after_data)
                return True
            if verb == "AUTH":
                box.logins.append(line)
            known = {"EHLO": "250-here\r\n250 AUTH PLAIN", "RCPT": box.recipients, "AUTH": "235 ok", "QUIT": "221 bye"}
            self._say(known.get(verb, "250 ok"))
            return verb != "QUIT"

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()
