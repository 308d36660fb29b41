"""Signing and verifying keys: RS256, ES256, EdDSA.

Owns: key objects, their PEM and JWK forms, and strict base64url. Never: tokens (kit.jwt) or the storage of keys
(encrypted, kit.seal). From casino.md 1.4. Each key has exactly one algorithm.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ALGORITHMS = ("RS256", "ES256", "EdDSA")
COORDINATE_BYTES = 32
KID = re.compile(r"[A-Za-z0-9._-]{1,128}")

Private: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Public: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_RSA_BITS = 2048
_MAX_RSA_BITS = 8192  # a peer's key may not cost more to verify with
_MAX_EXPONENT = 2**32
_KINDS = {"RSA ": "RS256", "EC P-256": "ES256", "OKP Ed25519": "EdDSA"}
_CURVE = ec.SECP256R1()
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class BadKey(Exception):
    """The key cannot be used: unknown algorithm, too short, of another kind, malformed."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A verifying key: its id, its algorithm, the key."""

    kid: str
    alg: str
    public: Public


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signing key. Keep the object: loading it from PEM costs as much as a hundred signatures."""

    kid: str
    alg: str
    private: Private

    def verifier(self) -> PublicKey:
        """Return its public key."""
        return PublicKey(self.kid, self.alg, self.private.public_key())


def new_key(alg: str, kid: str) -> SigningKey:
    """Return a new key for RS256 (2048 bits), ES256 or EdDSA (Ed25519). Raises BadKey for any other algorithm."""
    if alg == "RS256":
        return _signing_key(alg, kid, rsa.generate_private_key(65537, _RSA_BITS))
    if alg == "ES256":
        return _signing_key(alg, kid, ec.generate_private_key(_CURVE))
    return _signing_key(alg, kid, ed25519.Ed25519PrivateKey.generate())


def to_pem(key: SigningKey) -> bytes:
    """Return the private key as unencrypted PKCS #8 PEM; encrypt it before it is stored."""
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def from_pem(alg: str, kid: str, pem: bytes) -> SigningKey:
    """Return the key that `to_pem` wrote. Raises BadKey if it is not one for this algorithm.

    RSA validation, which takes 17 ms, is skipped: the PEM was stored with authenticated encryption by this hub.
    """
    try:
        private = serialization.load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError):
        raise BadKey("not a private key in PEM") from None
    if not isinstance(private, Private):
        raise BadKey(f"a key of another kind than {alg} needs")
    return _signing_key(alg, kid, private)


def public_jwk(key: SigningKey | PublicKey) -> dict[str, str]:
    """Return the public key as a JWK: kty, use, alg, kid and n, e or crv, x, y."""
    held = key.verifier() if isinstance(key, SigningKey) else key
    return {"use": "sig", "alg": held.alg, "kid": held.kid, **_public_numbers(held.public)}


def jwks(keys: Iterable[SigningKey | PublicKey]) -> dict[str, list[dict[str, str]]]:
    """Return a JWK set of these keys."""
    return {"keys": [public_jwk(key) for key in keys]}


def public_keys_from_jwks(document: Mapping[str, object]) -> dict[str, PublicKey]:
    """Return the usable keys of a JWK set by kid. Unknown kinds, uses and algorithms are ignored.

    Raises BadKey if the set is malformed, a usable key is broken or weak, or two have one kid.
    """
    entries = document.get("keys")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadKey("a JWK set has a list of keys")
    found: dict[str, PublicKey] = {}
    for entry in entries:
        key = _public_key(entry)
        if key is not None and found.setdefault(key.kid, key) is not key:
            raise BadKey(f"two keys have the kid {key.kid}")
    return found


def _signing_key(alg: str, kid: str, private: Private) -> SigningKey:
    _check_key(alg, kid, private.public_key())
    return SigningKey(kid, alg, private)


def _check_key(alg: str, kid: str, public: Public) -> None:
    if not KID.fullmatch(kid):
        raise BadKey("a kid has 1 to 128 letters, digits, dots, dashes and underscores")
    if alg not in ALGORITHMS or alg != _algorithm_of(public):
        raise BadKey(f"not a key for {alg if alg in ALGORITHMS else 'any algorithm used here'}")


def _algorithm_of(public: Public) -> str | None:
    if isinstance(public, rsa.RSAPublicKey):
        return "RS256" if _RSA_BITS <= public.key_size <= _MAX_RSA_BITS else None
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "ES256" if isinstance(public.curve, ec.SECP256R1) else None
    return "EdDSA"


def _public_numbers(public: Public) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": to_base64url(_bytes(numbers.n)), "e": to_base64url(_bytes(numbers.e))}
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        x, y = (to_base64url(number.to_bytes(COORDINATE_BYTES, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    return {"kty": "OKP", "crv": "Ed25519", "x": to_base64url(public.public_bytes_raw())}


def _public_key(entry: Mapping[str, object]) -> PublicKey | None:
    alg = _KINDS.get(f"{entry.get('kty')} {entry.get('crv', '')}")
    if alg is None or entry.get("alg", alg) != alg or entry.get("use", "sig") != "sig":
        return None
    try:
        kid, public = _member(entry, "kid"), _read_numbers(alg, entry)
    except ValueError:
        raise BadKey(f"the {alg} key is malformed") from None
    _check_key(alg, kid, public)
    return PublicKey(kid, alg, public)


def _read_numbers(alg: str, entry: Mapping[str, object]) -> Public:
    if alg == "RS256":
        n, e = (int.from_bytes(from_base64url(_member(entry, name)), "big") for name in ("n", "e"))
        if e >= _MAX_EXPONENT:
            raise ValueError("an exponent that costs too much")
        return rsa.RSAPublicNumbers(e, n).public_key()
    x = from_base64url(_member(entry, "x"))
    if alg == "EdDSA":
        return ed25519.Ed25519PublicKey.from_public_bytes(x)
    y = from_base64url(_member(entry, "y"))
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x04" + x + y)


def _member(entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a string")  # noqa: TRY004 - malformed, like every other fault of a key
    return value


def to_base64url(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def from_base64url(part: str) -> bytes:
    """Return the bytes; raises ValueError for padding, another alphabet or stray bits, so that content has one form."""
    if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
        raise ValueError("not base64url")
    content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if to_base64url(content) != part:
        raise ValueError("not in canonical base64url")
    return content


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
