"""The TLS files of a peer: the certificate that the hub shows it, the key of that, and the authority that vouches for the peer.

A file is read again when it changed, so a certificate is replaced without a restart. Contents stay in this process.

Owns: reading and checking these files, and the TLS contexts made of them. Never: a connection. Spec: operate.md 6.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509

from croupier.kit.clock import SystemClock
from croupier.kit.private_file import everybody_reads

MOST_CONTEXTS: Final = 256
"""So many contexts are kept; beyond it the one that was used longest ago is made again."""
_State = tuple[tuple[int, int, int], ...]
"""What changes when a file does: its inode, size and time of modification."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files. Without `key` the certificate's file holds the key too. Without `ca` the system's authorities hold."""

    cert: str | None = None
    key: str | None = None
    ca: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Return the paths that are set."""
        return tuple(path for path in (self.cert, self.key, self.ca) if path is not None)


class TlsFilesWrong(Exception):
    """A file is missing, unreadable or expired. The text says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """What was read of one state of the files."""

    context: ssl.SSLContext
    version: str
    """Differs when the files do: a connection that was made with other files is not used again."""
    expires_s: float | None
    """The Unix second at which the certificate expires; None without a certificate."""


def load_tls(files: TlsFiles) -> TlsIdentity:
    """Return the context of these files as they are now. Raises TlsFilesWrong, also for an expired certificate."""
    loaded, starts_s = _load(files, tuple(_state(path) for path in files.named))
    now_s = SystemClock().now_ms() / 1000
    if loaded.expires_s is not None and now_s >= loaded.expires_s:
        raise TlsFilesWrong(f"the client certificate {files.cert} has expired: put a new one there")
    if now_s < starts_s:
        raise TlsFilesWrong(f"the client certificate {files.cert} is not valid yet: look at the clock of this machine")
    return loaded


def _state(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - once for each call to a peer
    except OSError as error:
        raise TlsFilesWrong(f"{path} cannot be read: {error.strerror}") from None
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=MOST_CONTEXTS)
def _load(files: TlsFiles, state: _State) -> tuple[TlsIdentity, float]:
    """Return the context, and the Unix second from which the certificate is valid."""
    context = _trusting(files.ca)
    version = f"{files.named} {state}" if files.named else ""
    if files.cert is None:
        return TlsIdentity(context, version, None), 0.0
    holder = files.key or files.cert
    _check_private(holder)
    leaf = _leaf(files.cert)
    try:
        # Without a password of ours OpenSSL would ask for one on the terminal.
        context.load_cert_chain(files.cert, files.key, password=lambda: "none")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise TlsFilesWrong(
            f"{holder} is no key without a password that belongs to the client certificate {files.cert} ({reason})"
        ) from None
    identity = TlsIdentity(context, version, leaf.not_valid_after_utc.timestamp())
    return identity, leaf.not_valid_before_utc.timestamp()


def _trusting(ca: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise TlsFilesWrong(f"{ca} holds no certificate of an authority in PEM: {_reason(error)}") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _leaf(cert: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(Path(cert).read_bytes())[0]
    except (OSError, ValueError) as error:
        raise TlsFilesWrong(f"{cert} holds no certificate in PEM: {_reason(error)}") from None


def _check_private(key: str) -> None:
    if everybody_reads(key, _mode(key)):
        raise TlsFilesWrong(
            f"everybody on this machine may read the key in {key}: run `chmod 600 {key}`, and replace the key if they did"
        )


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except OSError as error:
        raise TlsFilesWrong(f"{path} cannot be read: {error.strerror}") from None


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)[:80] or type(error).__name__
