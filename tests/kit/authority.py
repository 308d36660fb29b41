"""A private certificate authority for tests: certificates for a peer on 127.0.0.1, and for clients."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

BEGIN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)


class Authority:
    """One authority. Its files lie in `folder`; `ca` is the path of its own certificate."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self._serial = 1
        own = x509.CertificateBuilder(self._name, self._name, self._key.public_key(), 1, BEGIN, END).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def certificate(
        self, name: str, *, begin: dt.datetime = BEGIN, end: dt.datetime = END, password: bytes | None = None
    ) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 under this name, and its key with mode 600, replaced if they are there."""
        self._serial += 1
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = x509.CertificateBuilder(self._name, _named(name), key.public_key(), self._serial, begin, end)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = made.add_extension(here, critical=False).add_extension(issuer, critical=False)
        pem = signed.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        locked = NoEncryption() if password is None else BestAvailableEncryption(password)
        cert, private = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.write_bytes(pem)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
        private.chmod(0o600)
        return cert, private

    def server(self, *, demands: bool, tls12: bool = False) -> ssl.SSLContext:
        """The context of a server that this authority vouches for. `demands`: clients must have a certificate of it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate("server"))
        if tls12:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if demands:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
