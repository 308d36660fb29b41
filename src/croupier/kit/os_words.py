"""Errors of the operating system and of TLS in words: the cause, and what to do.

Owns: the words. Never: who is told them. An error that is not listed keeps the system's own text, without its number.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from typing import Final

_NUMBER: Final = re.compile(r"\[Errno (-?[0-9]+)\]")
_OLD_TLS: Final = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"})

_NETWORK: Final = {
    errno.ECONNREFUSED: "nothing listens at this address; check host and port, and that it runs",
    errno.ECONNRESET: "the connection was closed from the other side; see the log there",
    errno.EPIPE: "the connection was closed from the other side; see the log there",
    errno.ECONNABORTED: "the connection was lost; check the network between",
    errno.ETIMEDOUT: "there was no answer in time; check the address, and firewalls between",
    errno.EHOSTUNREACH: "no network route leads to this address; check the address, and firewalls between",
    errno.ENETUNREACH: "no network route leads to this address; check the address and this machine's network",
    errno.EHOSTDOWN: "the machine of this address is down; check the address, and that it runs",
    errno.EADDRNOTAVAIL: "this machine has no free port or no such address; see how many connections are open",
    errno.ENOBUFS: "this machine has no buffers left for connections; see its memory and open connections",
}
_FILES: Final = {
    errno.ENOENT: "there is no such file or directory; check the path",
    errno.ENOTDIR: "a part of the path is a file and no directory; check the path",
    errno.EISDIR: "it is a directory and no file; check the path",
    errno.EACCES: "this user has no right to it; check owner and permissions",
    errno.EPERM: "this user has no right to it; check owner and permissions",
    errno.EROFS: "the file system is read-only; choose another place, or mount it for writing",
    errno.ENOSPC: "the disk is full; make room on it",
    errno.EDQUOT: "the disk quota is used up; make room, or raise it",
    errno.EIO: "the disk reports an error; look at the system's log, and keep a backup at hand",
    errno.ENAMETOOLONG: "the path is too long; choose a shorter one",
    errno.ELOOP: "links in the path lead in a circle; check the path",
    errno.EMFILE: "this process has too many open files and connections; raise its limit (`ulimit -n`)",
    errno.ENFILE: "this machine has too many open files and connections; raise its limit",
    errno.ENOMEM: "this machine is out of memory; see what uses it",
}
_WORDS: Final = {**_NETWORK, **_FILES}


def os_words(error: OSError) -> str:
    """Return the cause and what to do, as text to follow a colon."""
    if isinstance(error, ssl.SSLError):
        return _tls_words(error)
    if isinstance(error, socket.gaierror):
        return _name_words(error)
    number = error.errno if error.errno is not None else _number_in(error)
    if number is None:
        return str(error) or "the connection failed; check the address, and that it runs"
    return _WORDS.get(number) or (error.strerror or os.strerror(number)).lower()


def _number_in(error: OSError) -> int | None:
    """Return the number of the first cause, for an error that sums up several attempts."""
    found = _NUMBER.search(str(error))
    return None if found is None else int(found[1])


def _name_words(error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return "the name server does not answer; check this machine's DNS, and try again"
    return "the name has no address; check its spelling, and this machine's DNS"


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        return f"its TLS certificate is not accepted ({why}); it must be valid for this name and signed by a known authority"
    reason = getattr(error, "reason", None)
    if reason == "WRONG_VERSION_NUMBER":
        return "it does not speak TLS; check the port, and whether the address should begin with http://"
    if reason in _OLD_TLS:
        return "it speaks only an old version of TLS; it must offer TLS 1.2 or newer"
    return "no TLS connection was made; check the port, and the log of the other side"
