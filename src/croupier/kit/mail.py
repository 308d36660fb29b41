"""Sending one mail by SMTP, with TLS wherever the server is not on this machine.

Owns: the address of a server, the conversation (smtplib) and its limits. Never: what the mail says, or retries.
It blocks, so an event loop calls it in a thread.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Self
from urllib.parse import unquote, urlsplit

TOTAL_S: Final = 10.0
"""For each step of the conversation."""
_PORTS: Final = {"smtp": 587, "smtps": 465}
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class MailRefused(Exception):
    """The server could not be reached, or it did not take the mail."""


class BadServer(ValueError):
    """The text names no mail server."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """`smtp://[user@]host[:port]` (STARTTLS; plain on this machine alone) or `smtps://…` (TLS from the first byte)."""

    host: str
    port: int
    user: str
    tls: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the address of a server. Raises BadServer."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise BadServer("the port of the mail server is no number") from None
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise BadServer(
                "a mail server is smtp://host:587 or smtps://host:465, with user@ before the host if it asks"
            )
        if parts.password is not None:
            raise BadServer("the password of the mail server is no part of its address: give it apart")
        return cls(parts.hostname, port or _PORTS[parts.scheme], unquote(parts.username or ""), parts.scheme == "smtps")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in plain text. `message_id` is the same at every try."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    message_id: str


def send(server: MailServer, password: str, mail: Mail) -> None:
    """Hand the mail to the server. Raises MailRefused; the server may have taken it all the same."""
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, ", ".join(mail.recipients)
    message["Subject"], message["Date"] = mail.subject, formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.message_id}@croupier>"
    message.set_content(mail.text)
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, password)
            refused = connection.send_message(message)
    except (smtplib.SMTPException, OSError) as problem:
        raise MailRefused(_words(problem)) from problem
    if refused:
        raise MailRefused(f"the server refused {', '.join(refused)}")


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TOTAL_S, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TOTAL_S)
    try:
        _make_private(connection, server, context)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(connection: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    connection.ehlo()
    if connection.has_extn("starttls"):
        connection.starttls(context=context)
    elif server.host not in _HERE:
        raise MailRefused("the server offers no TLS: nothing was sent")


def _words(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        said = problem.smtp_error
        return f"{problem.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return f"the server refused {', '.join(problem.recipients)}"
    return str(problem) or type(problem).__name__
