"""Forges tokens that must be refused, into tests/vectors/jwt_negative.json. `python tools/forge_jwts.py` writes it.

Owns: the list of attacks, each on a token that is good but for that attack. Never: the hub's own code for tokens: what is
forged here is built from RFC 7515, 7516, 7518, 7519, 7797 and 8725 with the cryptography library alone. A test forges the
same with the keys of a running hub.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

VECTORS = Path(__file__).parents[1] / "tests" / "vectors"
TABLE = VECTORS / "jwt_negative.json"
NOW_S = 1_790_000_000
ISSUER = "hub.test"
CASINO_ID = 2201
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def b64(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def compact(document: object) -> bytes:
    """Return JSON without blanks; bytes stay as they are."""
    return document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Key:
    """A private key with its name and algorithm."""

    kid: str
    alg: str
    private: Any

    def sign(self, message: bytes) -> bytes:
        """Return a signature by RFC 7518, without randomness, so that the table is always the same."""
        if self.alg == "RS256":
            return bytes(self.private.sign(message, padding.PKCS1v15(), hashes.SHA256()))
        if self.alg == "EdDSA":
            return bytes(self.private.sign(message))
        return ecdsa(self.private, message)

    def public(self, encoding: serialization.Encoding, form: serialization.PublicFormat) -> bytes:
        """Return the public key in a form that an attacker may use as a secret."""
        return bytes(self.private.public_key().public_bytes(encoding, form))

    def jwk(self) -> dict[str, str]:
        """Return the public key in the form of a key set."""
        return {"use": "sig", "alg": self.alg, "kid": self.kid, **_numbers(self.private.public_key())}


def _numbers(public: object) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        n, e = public.public_numbers().n, public.public_numbers().e
        return {"kty": "RSA", "n": b64(n.to_bytes((n.bit_length() + 7) // 8, "big")), "e": b64(e.to_bytes(3, "big"))}
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}
    assert isinstance(public, ec.EllipticCurvePublicKey)
    point = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big"))}


def ecdsa(private: ec.EllipticCurvePrivateKey, message: bytes, size: int = 32) -> bytes:
    """Return the numbers r and s side by side."""
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def attackers(rsa_pem: str) -> dict[str, Key]:
    """Return the attacker's keys, which are always the same."""
    return {
        "RS256": Key("mine-rs", "RS256", serialization.load_pem_private_key(rsa_pem.encode(), None)),
        "ES256": Key("mine-es", "ES256", ec.derive_private_key(0x1234567, ec.SECP256R1())),
        "EdDSA": Key("mine-ed", "EdDSA", ed25519.Ed25519PrivateKey.from_private_bytes(b"7" * 32)),
    }


@dataclass(frozen=True)
class Good:
    """A valid token for one endpoint, from which an attack starts."""

    place: str
    """`bearer` or `sent`."""
    key: Key
    claims: dict[str, Any]
    attacker: Key
    others: tuple[Key, ...] = ()
    """The hub's keys of other algorithms."""
    header: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", {"alg": self.key.alg, "kid": self.key.kid, "typ": "JWT"})

    def token(
        self,
        header: object = None,
        claims: object = None,
        *,
        signature: bytes | None = None,
        by: Callable[[bytes], bytes] | None = None,
    ) -> str:
        """Return the token; parts that are not given are valid."""
        signed = f"{b64(compact(self.header if header is None else header))}.{b64(compact(claims or self.claims))}"
        made = (by or self.key.sign)(signed.encode()) if signature is None else signature
        return f"{signed}.{b64(made)}"

    def with_header(self, **changes: object) -> str:
        """Return a token signed by the hub's key with this header; None removes a name."""
        return self.token({name: value for name, value in {**self.header, **changes}.items() if value is not ...})

    def with_claims(self, **changes: object) -> str:
        """Return a token signed by the hub's key with these claims; ... removes one."""
        return self.token(None, {n: v for n, v in {**self.claims, **changes}.items() if v is not ...})


@dataclass(frozen=True)
class Row:
    """One token and where it must be refused."""

    name: str
    place: str
    token: str
    crossed: bool = False
    """Valid elsewhere: an access token in place of a sent one, or the reverse."""


Attack = Iterator[tuple[str, str]]


# --- no signature, or one of another kind -----------------------------------------------------------------------------


def no_algorithm(good: Good) -> Attack:
    """RFC 8725 section 2.1."""
    for alg in ("none", "None", "NONE", "nOnE", "", " none", "none\0", None, ...):
        header = {name: value for name, value in {**good.header, "alg": alg}.items() if value is not ...}
        yield f"alg {_word(alg)} without a signature", good.token(header, signature=b"")
        yield f"alg {_word(alg)} with the good token's signature", good.token(header)
    yield "no header but none, no kid", good.token({"alg": "none"}, signature=b"")


def public_key_as_secret(good: Good) -> Attack:
    """RFC 8725 section 2.1: HS256 with public data as the secret."""
    encoding, form = serialization.Encoding, serialization.PublicFormat
    spki = form.SubjectPublicKeyInfo
    secrets = {
        "PEM": good.key.public(encoding.PEM, spki),
        "PEM without its last line end": good.key.public(encoding.PEM, spki).strip(),
        "DER": good.key.public(encoding.DER, spki),
        "JWK": compact(good.key.jwk()),
        "JWK sorted": json.dumps(good.key.jwk(), sort_keys=True, separators=(",", ":")).encode(),
        "key set": compact({"keys": [good.key.jwk()]}),
        "x or n": (good.key.jwk().get("n") or good.key.jwk()["x"]).encode(),
        "kid": good.key.kid.encode(),
        "nothing": b"",
        "secret": b"secret",
    }
    if good.key.alg == "RS256":
        secrets["PKCS #1 PEM"] = good.key.public(encoding.PEM, form.PKCS1)
    for name, secret in secrets.items():
        yield f"HS256 with the {name} as secret", good.token({**good.header, "alg": "HS256"}, by=_mac(secret))
        yield f"the own alg, MAC with the {name}", good.token(by=_mac(secret))
    pem = secrets["PEM"]
    for alg in ("HS384", "HS512"):
        digest = f"sha{alg[2:]}"
        yield f"{alg} with the PEM as secret", good.token({**good.header, "alg": alg}, by=_mac(pem, digest))


def _mac(secret: bytes, digest: str = "sha256") -> Callable[[bytes], bytes]:
    return lambda message: hmac.new(secret, message, digest).digest()


def algorithms(good: Good) -> Attack:
    """A key is valid for its own algorithm only."""
    alg = good.key.alg
    odd = [
        alg.lower(), f"{alg} ", f" {alg}", f"{alg}\0", alg.title(), f"{alg}\n", [alg], {"alg": alg}, 256, True, "RS384",
        "RS512", "PS256", "ES384", "ES512", "ES256K", "Ed25519", "Ed448", "HS256", "dir", "RSA1_5", "A128KW",
        *(other.alg for other in good.others),
    ]  # fmt: skip
    for word in odd:
        if word != alg:
            yield f"alg {_word(word)}, signed by the good key", good.with_header(alg=word)
    for other in good.others:
        yield f"signed by the hub's {other.alg} key under this kid", good.token(by=other.sign)
        yield (
            f"signed by the hub's {other.alg} key, its alg, this kid",
            good.token({**good.header, "alg": other.alg}, by=other.sign),
        )
        yield f"signed by the good key under the kid of the {other.alg} key", good.with_header(kid=other.kid)


# --- keys of the token's own choice -----------------------------------------------------------------------------------


def own_keys(good: Good) -> Attack:
    """RFC 7515 section 4.1: jwk, jku, x5u, x5c, and crit (section 4.1.11)."""
    mine = good.attacker
    bring: dict[str, object] = {
        "jwk": mine.jwk(), "jku": "https://attacker.test/jwks.json", "x5u": "https://attacker.test/cert.pem",
        "x5c": ["MIIBszCCAVmgAwIBAgIUW3"], "x5t": "dGh1bWI", "x5t#S256": "dGh1bWI", "jwks": {"keys": [mine.jwk()]},
    }  # fmt: skip
    for name, value in bring.items():
        for kid in (good.key.kid, mine.kid, ...):
            header = {n: v for n, v in {**good.header, "kid": kid, name: value}.items() if v is not ...}
            yield f"{name} of the attacker, kid {_word(kid)}, signed by it", good.token(header, by=mine.sign)
    for name in ("jwk", "jku", "x5u", "x5c"):
        yield f"{name} beside a good signature", good.with_header(**{name: bring[name]})
    yield "the hub's own jwk beside a good signature", good.with_header(jwk=good.key.jwk())
    yield "signed by the attacker under the hub's kid", good.token(by=mine.sign)
    yield "signed by the attacker under its own kid", good.token({**good.header, "kid": mine.kid}, by=mine.sign)


def extensions(good: Good) -> Attack:
    """Headers that change the meaning of the bytes."""
    for crit in (["exp"], ["b64"], ["x-any"], [], "exp", None, {}):
        yield f"crit {_word(crit)}", good.with_header(crit=crit)
    yield "b64 false, named critical", good.with_header(b64=False, crit=["b64"])
    yield "b64 false, not named", good.with_header(b64=False)
    yield "b64 true", good.with_header(b64=True)
    head = b64(compact({**good.header, "b64": False, "crit": ["b64"]}))
    plain = compact(good.claims).decode()
    yield "an unencoded payload (RFC 7797)", f"{head}.{plain}.{b64(good.key.sign(f'{head}.{plain}'.encode()))}"
    detached = good.token().split(".")
    yield "a detached payload", f"{detached[0]}..{detached[2]}"
    yield "zip", good.with_header(zip="DEF")
    yield "enc", good.with_header(enc="A256GCM")


def kids(good: Good) -> Attack:
    """A kid is looked up in the key list only."""
    odd = [
        "../../../../dev/null", "/etc/passwd", "file:///dev/null", "https://attacker.test/key", "' or '1'='1", "x' union select 'k'--",
        "'; drop table signing_keys; --", "$(id)", "`id`", "| cat /etc/passwd", "%00", "", " ", "*", "%", "null", "__proto__",
        good.key.kid + "\0", good.key.kid + "\n", good.key.kid + " ", f" {good.key.kid}", good.key.kid.upper(), good.key.kid[:-1],
        f"{good.key.kid}/../{good.key.kid}", "k" * 129, "k" * 40_000, "\ud83c\udfb0", 0, 1, True, None, [good.key.kid],
        {"kid": good.key.kid}, ...,
    ]  # fmt: skip
    for kid in odd:
        header = {n: v for n, v in {**good.header, "kid": kid}.items() if v is not ...}
        yield f"kid {_word(kid)}, a good signature", good.token(header)
        yield f"kid {_word(kid)}, HS256 with an empty secret", good.token({**header, "alg": "HS256"}, by=_mac(b""))
        yield f"kid {_word(kid)}, none", good.token({**header, "alg": "none"}, signature=b"")


# --- other forms ------------------------------------------------------------------------------------------------------


def other_forms(good: Good) -> Attack:
    """JWE, JSON serialization, nesting, types."""
    token = good.token()
    head, claims, signature = token.split(".")
    for alg in ("RSA-OAEP", "RSA1_5", "dir", "ECDH-ES", "PBES2-HS256+A128KW"):
        jwe = b64(compact({"alg": alg, "enc": "A256GCM", "kid": good.key.kid, "typ": "JWT", "p2c": 2**31}))
        yield f"a JWE by {alg}", f"{jwe}.{b64(b'k' * 32)}.{b64(b'i' * 12)}.{claims}.{b64(b't' * 16)}"
        yield f"a header of a JWE by {alg} on three parts", f"{jwe}.{claims}.{signature}"
    yield (
        "a JWE around a JWS",
        f"{b64(compact({'alg': 'dir', 'enc': 'A128GCM', 'cty': 'JWT'}))}..{b64(b'i')}.{b64(token.encode())}.{b64(b't')}",
    )
    yield "a JWT in a JWT", good.token({**good.header, "cty": "JWT"}, token.encode())
    yield "a JWT as the text of a JWT", good.token(None, json.dumps(token).encode())
    yield "flattened JSON", compact({"protected": head, "payload": claims, "signature": signature}).decode()
    yield (
        "general JSON",
        compact({"payload": claims, "signatures": [{"protected": head, "signature": signature}]}).decode(),
    )
    for typ in ("JWE", "at+jwt", "dpop+jwt", "application/jwt", "JWT ", "", None, 1, ["JWT"], True):
        yield f"typ {_word(typ)}", good.with_header(typ=typ)


def parts(good: Good) -> Attack:
    """A token has three parts in canonical base64url."""
    head, claims, signature = good.token().split(".")
    pieces = {"header": 0, "claims": 1, "signature": 2}
    for name, place in pieces.items():
        for how, change in _SPELLINGS.items():
            spelt = [head, claims, signature]
            spelt[place] = change(spelt[place])
            yield f"the {name} {how}", ".".join(spelt)
    whole = f"{head}.{claims}.{signature}"
    yield from {
        "nothing": "", "a dot": ".", "two dots": "..", "two parts": f"{head}.{claims}", "four parts": f"{whole}.",
        "four full parts": f"{whole}.{signature}", "five empty parts": "....", "a dot before": f".{whole}",
        "one part": head, "parts in another order": f"{claims}.{head}.{signature}", "a blank before": f" {whole}",
        "a line end behind": f"{whole}\n", "Bearer twice": f"Bearer {whole}", "a comma and another": f"{whole},{whole}",
        "in quotes": f'"{whole}"', "percent-encoded": whole.replace(".", "%2E"), "over 64 KB": f"{head}.{'A' * 70_000}.{signature}",
    }.items()  # fmt: skip


_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "empty": lambda part: part[:0],
    "with padding": lambda part: part + "=" * (-len(part) % 4 or 4),
    "in the other alphabet": lambda part: part[:5] + "+/" + part[7:],
    "with a line end": lambda part: part[:9] + "\n" + part[9:],
    "with a blank": lambda part: part[:9] + " " + part[9:],
    "with a stray character": lambda part: part + "A",
    "cut by one": lambda part: part[:-1],
    "cut by four": lambda part: part[:-4],
    "with a letter outside ASCII": lambda part: part[:9] + "\u00e9" + part[9:],
    "with NUL": lambda part: part[:9] + "\0" + part[9:],
    "twice": lambda part: part + part,
    "with other bits": lambda part: part[:6] + ("A" if part[6] != "A" else "B") + part[7:],
}


def documents(good: Good) -> Attack:
    """Header and claims are strict JSON objects."""
    head, claims = compact(good.header).decode(), compact(good.claims).decode()
    for name, value in good.header.items():
        first, last = json.dumps({name: "none"})[1:-1], json.dumps({name: value})[1:-1]
        yield f"header names {name} twice, the good one last", good.token(("{" + first + "," + head[1:]).encode())
        yield f"header names {name} twice, the good one first", good.token((head[:-1] + "," + first + "}").encode())
        yield f"header names {name} twice, the same", good.token((head[:-1] + "," + last + "}").encode())
        escaped = f'"\\u00{ord(name[0]):02x}{name[1:]}":"none"'
        yield f"header names {name} twice, once escaped", good.token((head[:-1] + "," + escaped + "}").encode())
    for name, value in {"exp": NOW_S * 2, "client_id": "PartnerClient-1", "aud": "other"}.items():
        more = json.dumps({name: value})[1:-1]
        there = claims if name in good.claims else claims[:-1] + "," + more + "}"
        yield f"claims name {name} twice", good.token(None, (there[:-1] + "," + more + "}").encode())
    odd = {
        "an array": b"[]", "null": b"null", "a string": b'"x"', "a number": b"1", "nothing": b" ", "half": b"{", "no UTF-8": b"\xff",
        "a byte order mark": b"\xef\xbb\xbf{}", "deep": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "two": b"{}{}",
        "NaN": b'{"exp":NaN}', "NUL": b'{"a":"\\u0000"}',
    }  # fmt: skip
    for name, raw in odd.items():
        yield f"the header is {name}", good.token(raw)
        yield f"the claims are {name}", good.token(None, raw)


# --- signatures -------------------------------------------------------------------------------------------------------


def signatures(good: Good) -> Attack:
    """Missing signatures, and signatures over other bytes."""
    made = base64.urlsafe_b64decode(good.token().split(".")[2] + "==")
    odd = {
        "empty": b"", "zeros": bytes(len(made)), "ones": b"\xff" * len(made), "cut": made[:-1], "longer by zero": made + b"\0",
        "after a zero": b"\0" + made, "twice": made * 2, "backwards": made[::-1], "a hash": hashlib.sha256(good.token().encode()).digest(),
        "text of its hex": made.hex().encode(),
    }  # fmt: skip
    for name, signature in odd.items():
        yield f"signature: {name}", good.token(signature=signature)
    other = good.token(None, {**good.claims, "exp": good.claims["exp"] + 1}).split(".")
    mine = good.token().split(".")
    yield "the signature of another token of the hub", f"{mine[0]}.{mine[1]}.{other[2]}"
    yield "the claims of another token of the hub", f"{mine[0]}.{other[1]}.{mine[2]}"
    yield "signed without the header", good.token(by=lambda message: good.key.sign(message.split(b".")[1]))
    yield from _KINDS[good.key.alg](good, made)


def _rsa(good: Good, made: bytes) -> Attack:
    private, numbers = good.key.private, good.key.private.public_key().public_numbers()
    size = len(made)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 0)
    yield "PSS under RS256", good.token(by=lambda m: bytes(private.sign(m, pss, hashes.SHA256())))
    yield (
        "PSS as PS256",
        good.token({**good.header, "alg": "PS256"}, by=lambda m: bytes(private.sign(m, pss, hashes.SHA256()))),
    )
    for name, digest in (("SHA-512", hashes.SHA512()), ("SHA-384", hashes.SHA384())):
        yield (
            f"PKCS #1 with {name}",
            good.token(
                by=lambda m, digest=digest: bytes(private.sign(m, padding.PKCS1v15(), digest))  # type: ignore[misc]
            ),
        )
    for name, number in {"0": 0, "1": 1, "n - 1": numbers.n - 1, "n": numbers.n}.items():
        yield f"the signature is the number {name}", good.token(signature=number.to_bytes(size, "big"))
    more = int.from_bytes(made, "big") + numbers.n
    yield "the signature plus n", good.token(signature=more.to_bytes(size + 1, "big"))


def _ec(good: Good, made: bytes) -> Attack:
    """CVE-2022-21449 and similar ones, other curves, DER."""
    n = P256_ORDER
    pairs = {
        "r = s = 0": (0, 0), "r = 0": (0, 1), "s = 0": (1, 0), "r = s = 1": (1, 1), "r = s = n": (n, n), "r = n, s = 1": (n, 1),
        "r = 1, s = n": (1, n), "r = s = n - 1": (n - 1, n - 1), "r = s = 2^256 - 1": (2**256 - 1, 2**256 - 1),
    }  # fmt: skip
    for name, (r, s) in pairs.items():
        yield f"psychic signature {name}", good.token(signature=r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        yield f"psychic signature {name} in DER", good.token(signature=encode_dss_signature(r, s))
    r, s = (int.from_bytes(half, "big") for half in (made[:32], made[32:]))
    yield "the good signature in DER", good.token(signature=encode_dss_signature(r, s))
    yield "s plus n", good.token(signature=made[:32] + (s + n).to_bytes(33, "big"))
    yield "r and s changed places", good.token(signature=made[32:] + made[:32])
    for name, curve, size in (
        ("P-384", ec.SECP384R1(), 48),
        ("P-521", ec.SECP521R1(), 66),
        ("secp256k1", ec.SECP256K1(), 32),
    ):
        stranger = ec.derive_private_key(0x1234567, curve)
        yield f"signed on {name}", good.token(by=lambda m, k=stranger, b=size: ecdsa(k, m, b))  # type: ignore[misc]


def _ed(good: Good, made: bytes) -> Attack:
    r, s = made[:32], int.from_bytes(made[32:], "little")
    yield "S plus the order", good.token(signature=r + (s + ED25519_ORDER).to_bytes(32, "little"))
    neutral = (1).to_bytes(32, "little")
    yield "R is the neutral element, S is 0", good.token(signature=neutral + bytes(32))
    yield "R is of low order, S is 0", good.token(signature=bytes(32) + bytes(32))
    yield "signed on Ed448", good.token(by=lambda m: ed448.Ed448PrivateKey.from_private_bytes(b"7" * 57).sign(m))


_KINDS: Mapping[str, Callable[[Good, bytes], Attack]] = {"RS256": _rsa, "ES256": _ec, "EdDSA": _ed}


# --- claims: signed by the hub's own key, and still good for nothing ---------------------------------------------------


def times(good: Good) -> Attack:
    """Expired, not valid yet, and without a time. A minute exceeds every tolerance."""
    now_s = good.claims["nbf"]
    yield "expired a minute ago", good.with_claims(nbf=now_s - 7200, exp=now_s - 60)
    yield "expired long ago", good.with_claims(nbf=0, exp=1)
    yield "not valid for a minute yet", good.with_claims(nbf=now_s + 60, exp=now_s + 3600)
    for exp in (..., None, str(now_s + 10), float(now_s) + 10.5, -1, 0, True, [now_s + 10], 10**30, "never", {}):
        yield f"exp {_word(exp)}", good.with_claims(exp=exp)
    for nbf in (None, str(now_s), now_s - 0.5, True, -1, "now", []):
        yield f"nbf {_word(nbf)}", good.with_claims(nbf=nbf)


def parties(good: Good) -> Attack:
    """From another hub, for another casino, for another purpose."""
    issuer = good.claims["iss"]
    for iss in (
        ...,
        None,
        "",
        "elsewhere.test",
        issuer + ".attacker.test",
        issuer.upper(),
        f"{issuer} ",
        [issuer],
        1,
        {},
    ):
        yield f"iss {_word(iss)}", good.with_claims(iss=iss)
    client = good.claims["client_id"]
    for name in (..., None, "", "PartnerClient-", "PartnerClient--1", "PartnerClient-1e3", "PartnerClient-\u00b2", f"{client} ",
                 client.lower(), client.replace("-", "-0"), client.partition("-")[2], int(client.partition("-")[2]), [client], True):  # fmt: skip
        yield f"client_id {_word(name)}", good.with_claims(client_id=name)
    yield from (_for_a_bearer if good.place == "bearer" else _for_a_sent_one)(good)


def _for_a_bearer(good: Good) -> Attack:
    for aud in (..., None, "", "hub2", "Hub", "hu", "casino", [], ["hub2"], [["hub"]], {"hub": 1}, 1, True, "hub hub"):
        yield f"aud {_word(aud)}", good.with_claims(aud=aud)
    for scope in (..., None, "", "feeds", "Casino", "casino feeds", ["casino"], {"casino": 1}, 1):
        yield f"scope {_word(scope)}", good.with_claims(scope=scope)
    yield "what was sent to a casino, as a bearer", good.with_claims(aud=..., scope=..., data="{}")
    yield "the same with a scope", good.with_claims(aud=..., data="{}")


def _for_a_sent_one(good: Good) -> Attack:
    yield "sent to another casino", good.with_claims(client_id="PartnerClient-1")
    for aud in ("hub", "", None, [], ["hub"], "casino"):
        yield f"aud {_word(aud)}", good.with_claims(aud=aud)
    for data in (..., None, 5, {"BetId": 5}, [], True):
        yield f"data {_word(data)}", good.with_claims(data=data)
    yield "an access token", good.with_claims(data=..., aud="hub", scope="casino", exp=good.claims["nbf"] + 3600)


CROSSED = ("what was sent to a casino, as a bearer", "the same with a scope", "an access token")
"""Attacks that are valid tokens of the other kind."""

ATTACKS: tuple[Callable[[Good], Attack], ...] = (
    no_algorithm, public_key_as_secret, algorithms, own_keys, extensions, kids, other_forms, parts, documents, signatures, times,
    parties,
)  # fmt: skip


def _word(value: object) -> str:
    """Return the name of a value in a row."""
    if value is ...:
        return "left out"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:20]}... of {len(text)}"


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hub:
    """The hub whose tokens are forged: its keys by algorithm, its name, and one casino."""

    keys: Mapping[str, Key]
    issuer: str
    casino_id: int
    now_s: int
    sent_s: int = 10
    """Lifetime of a sent token; longer if forging takes long."""

    def goods(self, mine: Mapping[str, Key], sent_by: tuple[str, ...] = ("RS256", "ES256", "EdDSA")) -> list[Good]:
        """Return a valid bearer, and a valid sent token of each algorithm."""
        shared = {"nbf": self.now_s, "iss": self.issuer, "client_id": f"PartnerClient-{self.casino_id}"}
        bearer = {**shared, "exp": self.now_s + 3600, "aud": "hub", "scope": "casino"}
        sent = {**shared, "exp": self.now_s + self.sent_s, "data": "{}"}
        return [self._good("bearer", "RS256", bearer, mine), *(self._good("sent", alg, sent, mine) for alg in sent_by)]

    def _good(self, place: str, alg: str, claims: dict[str, Any], mine: Mapping[str, Key]) -> Good:
        others = tuple(key for name, key in self.keys.items() if name != alg)
        return Good(place, self.keys[alg], claims, mine[alg], others)


def rows(hub: Hub, rsa_pem: str) -> list[Row]:
    """Return every attack on every valid token."""
    return [
        Row(f"{good.place} {good.key.alg}: {name}", good.place, token, name in CROSSED)
        for good in hub.goods(attackers(rsa_pem))
        for attack in ATTACKS
        for name, token in attack(good)
    ]


def hub_of_the_vectors() -> Hub:
    """Return the hub of the vectors, whose keys protect nothing."""
    listed = json.loads((VECTORS / "betcore_v2" / "keys.json").read_text("utf-8"))["keys"]
    keys = {
        row["alg"]: Key(row["kid"], row["alg"], serialization.load_pem_private_key(row["pem"].encode(), None))
        for row in listed
    }
    return Hub(keys, ISSUER, CASINO_ID, NOW_S)


def attackers_pem() -> str:
    """Return the RSA key of the attacker: the one of the table, or a new one for a new table."""
    if TABLE.exists():
        return str(json.loads(TABLE.read_text("utf-8"))["attacker_pem"])
    private = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def table() -> dict[str, Any]:
    """Return the content of the file. It stores long tokens as hashes; a test forges them again."""
    pem = attackers_pem()
    listed = [
        {"name": row.name, "place": row.place, "token": _kept(row.token)} for row in rows(hub_of_the_vectors(), pem)
    ]
    return {
        "note": "Written by tools/forge_jwts.py. No place of the hub or the sandbox may take any of these tokens.",
        "now_s": NOW_S,
        "issuer": ISSUER,
        "casino_id": CASINO_ID,
        "attacker_pem": pem,
        "rows": listed,
    }


def _kept(token: str) -> str:
    return token if len(token) < 8000 else f"sha256 {hashlib.sha256(token.encode()).hexdigest()}"


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table(), indent=1) + "\n", encoding="utf-8")
    print(f"forged {len(table()['rows'])} tokens")
