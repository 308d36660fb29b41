"""Tokens: what holds, and one test for each attack that must not."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit import jwt
from croupier.kit.jwt import BadToken

NOW = 1_760_000_000
CLAIMS = {"nbf": NOW, "exp": NOW + 10, "iss": "hub", "data": '{"BetId":1}', "client_id": "PartnerClient-7"}
SIGNERS = {alg: jwt.new_key(alg, f"{alg}.1") for alg in jwt.ALGORITHMS}
KEYS = {key.kid: key.verifier() for key in SIGNERS.values()}


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def forged(header: dict[str, Any] | bytes, claims: Any = CLAIMS, alg: str = "ES256") -> str:
    """A token with any header and payload, properly signed by our own key: only the strictness can refuse it."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signed = f"{b64(head)}.{b64(payload)}"
    return f"{signed}.{b64(jwt._signature(SIGNERS[alg].private, signed.encode()))}"


def refused(token: str, **expected: Any) -> str:
    with pytest.raises(BadToken) as problem:
        jwt.verify(token, KEYS, **{"now_s": NOW, **expected})
    return problem.value.why


HEADER = {"alg": "ES256", "kid": "ES256.1", "typ": "JWT"}


# --- what holds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
def test_a_signed_token_verifies_and_gives_its_claims(alg: str) -> None:
    claims = jwt.verify(jwt.sign(SIGNERS[alg], CLAIMS), KEYS, now_s=NOW, issuer="hub")
    assert claims == {**CLAIMS, "nbf": str(NOW), "exp": str(NOW + 10)}
    assert jwt.expires_s(claims) == NOW + 10


@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
def test_another_library_reads_our_tokens_from_our_jwk_set(alg: str) -> None:
    published = pyjwt.PyJWKSet.from_dict(jwt.jwks(SIGNERS.values()))
    token = jwt.sign(SIGNERS[alg], CLAIMS)
    read = pyjwt.decode(
        token, published[f"{alg}.1"].key, algorithms=[alg], options={"verify_exp": False, "verify_nbf": False}
    )
    assert read == CLAIMS
    assert pyjwt.get_unverified_header(token) == {"alg": alg, "kid": f"{alg}.1", "typ": "JWT"}


@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
def test_we_read_the_tokens_of_another_library(alg: str) -> None:
    token = pyjwt.encode(CLAIMS, jwt.to_pem(SIGNERS[alg]), algorithm=alg, headers={"kid": f"{alg}.1"})
    assert jwt.verify(token, KEYS, now_s=NOW)["client_id"] == "PartnerClient-7"


def test_claims_are_compact_json_in_the_order_given() -> None:
    payload = jwt.sign(SIGNERS["ES256"], {"b": 1, "a": "é"}).split(".")[1]
    assert base64.urlsafe_b64decode(payload + "==") == '{"b":1,"a":"é"}'.encode()


@given(st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=8), st.booleans()))
def test_any_claims_come_back(extra: dict[str, bool]) -> None:
    claims = {**extra, "data": "x", "exp": NOW}
    claims.pop("aud", None)
    claims.pop("nbf", None)
    assert jwt.verify(jwt.sign(SIGNERS["EdDSA"], claims), KEYS, now_s=NOW) == {**claims, "exp": str(NOW)}


# --- time and parties -------------------------------------------------------------------------------------------


def test_exp_holds_to_the_second_with_its_leeway() -> None:
    token = jwt.sign(SIGNERS["ES256"], {"exp": NOW})
    assert jwt.verify(token, KEYS, now_s=NOW + 9)
    assert refused(token, now_s=NOW + 10) == "expired"
    assert jwt.verify(token, KEYS, now_s=NOW - 1, leeway_s=0)
    assert refused(token, now_s=NOW, leeway_s=0) == "expired"


def test_nbf_holds_to_the_second_with_its_leeway() -> None:
    token = jwt.sign(SIGNERS["ES256"], {"exp": NOW + 100, "nbf": NOW})
    assert jwt.verify(token, KEYS, now_s=NOW - 10)
    assert refused(token, now_s=NOW - 11) == "not valid yet"


@pytest.mark.parametrize("exp", [None, "1760000010", 1760000010.5, -1, 1e20, 10**40, True, [1], "missing"])
def test_exp_must_be_there_and_a_whole_number_of_seconds(exp: Any) -> None:
    claims = {"iss": "hub"} if exp == "missing" else {"exp": exp}
    assert refused(forged(HEADER, claims)).startswith("exp")


def test_a_malformed_nbf_is_refused() -> None:
    assert refused(forged(HEADER, {"exp": NOW + 10, "nbf": "soon"})).startswith("nbf")
    assert refused(forged(HEADER, {"exp": NOW + 10, "nbf": None})).startswith("nbf")


@pytest.mark.parametrize("aud", ["hub", ["other", "hub"]])
def test_the_audience_may_be_one_or_a_list(aud: Any) -> None:
    assert jwt.verify(jwt.sign(SIGNERS["ES256"], {"exp": NOW, "aud": aud}), KEYS, now_s=NOW, audience="hub")


@pytest.mark.parametrize("aud", ["other", [], ["hub2"], None, {"hub": 1}, "hu"])
def test_another_audience_is_refused(aud: Any) -> None:
    assert refused(jwt.sign(SIGNERS["ES256"], {"exp": NOW, "aud": aud}), audience="hub") == "another audience"


def test_a_number_does_not_pass_for_the_text_of_the_same_digits() -> None:
    assert refused(jwt.sign(SIGNERS["ES256"], {"exp": NOW, "iss": 7}), issuer="7") == "another issuer"
    assert refused(jwt.sign(SIGNERS["ES256"], {"exp": NOW, "aud": 7}), audience="7") == "another audience"
    assert refused(jwt.sign(SIGNERS["ES256"], {"exp": NOW, "aud": [7]}), audience="7") == "another audience"


def test_a_token_without_audience_is_refused_where_one_is_asked_for() -> None:
    assert refused(jwt.sign(SIGNERS["ES256"], {"exp": NOW}), audience="hub") == "another audience"


def test_a_token_with_an_audience_passes_for_no_other_kind() -> None:
    assert refused(jwt.sign(SIGNERS["ES256"], {"exp": NOW, "aud": "hub"})) == "another audience"


@pytest.mark.parametrize("claims", [{"exp": NOW}, {"exp": NOW, "iss": "x"}, {"exp": NOW, "iss": ["hub"]}])
def test_another_issuer_is_refused(claims: dict[str, Any]) -> None:
    assert refused(jwt.sign(SIGNERS["ES256"], claims), issuer="hub") == "another issuer"


# --- attacks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_no_signature_is_no_signature(alg: str) -> None:
    token = f"{b64(json.dumps({**HEADER, 'alg': alg}).encode())}.{b64(json.dumps(CLAIMS).encode())}."
    assert refused(token) == "not the algorithm of this key"


@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
def test_the_public_key_is_no_hmac_secret(alg: str) -> None:
    public = SIGNERS[alg].private.public_key()
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        secret = public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        head = {"alg": "HS256", "kid": f"{alg}.1", "typ": "JWT"}
        signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(CLAIMS).encode())}"
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert refused(f"{signed}.{b64(signature)}") == "not the algorithm of this key"


@pytest.mark.parametrize("alg", ["RS256", "EdDSA", "ES384", "es256", None, ["ES256"], 1])
def test_the_header_must_name_the_keys_own_algorithm(alg: Any) -> None:
    assert refused(forged({**HEADER, "alg": alg})) == "not the algorithm of this key"


def test_a_key_signs_only_under_its_own_kid() -> None:
    other = jwt.new_key("ES256", "ES256.1")
    assert refused(jwt.sign(other, CLAIMS)) == "the signature does not hold"


@pytest.mark.parametrize("name", ["crit", "jwk", "jku", "x5u", "x5c", "b64", "enc", "zip"])
def test_a_header_that_brings_its_own_rules_is_refused(name: str) -> None:
    values = {"crit": [], "jwk": jwt.public_jwk(SIGNERS["ES256"]), "b64": True}
    assert refused(forged({**HEADER, name: values.get(name, "x")})) == "a header that is not allowed"


def test_an_embedded_key_is_not_trusted_even_without_kid() -> None:
    own = jwt.new_key("ES256", "mine")
    head = {"alg": "ES256", "jwk": jwt.public_jwk(own)}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(CLAIMS).encode())}"
    assert refused(f"{signed}.{b64(jwt._signature(own.private, signed.encode()))}")


@pytest.mark.parametrize("kid", [None, "", 7, ["ES256.1"], "../../etc/passwd", "ES256.1\n", "x' or '1", "x" * 129])
def test_a_kid_must_be_plain(kid: Any) -> None:
    assert refused(forged({**HEADER, "kid": kid})) == "no usable kid"


def test_a_missing_or_unknown_kid_is_refused() -> None:
    assert refused(forged({"alg": "ES256", "typ": "JWT"})) == "no usable kid"
    assert refused(forged({**HEADER, "kid": "ES256.2"})) == "unknown kid"


@pytest.mark.parametrize("typ", ["at+jwt", "JWE", "", 1, None])
def test_another_type_of_token_is_refused(typ: Any) -> None:
    assert refused(forged({**HEADER, "typ": typ})) == "not of type JWT"


@pytest.mark.parametrize("typ", ["jwt", "JWT"])
def test_the_type_may_be_in_either_case(typ: str) -> None:
    assert jwt.verify(forged({**HEADER, "typ": typ}), KEYS, now_s=NOW)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "." * 8000, "é.é.é", "a b.c.d"])
def test_a_token_has_three_parts_of_base64url(token: str) -> None:
    assert refused(token)


@pytest.mark.parametrize("odd", ["\u00e9", "\ufeff", "\U0001f3b0", "\u0661", "\ud800"])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_character_outside_ascii_in_any_part_is_a_bad_token_and_nothing_worse(part: int, odd: str) -> None:
    """Found by fuzzing: under a good header it was met first by the signature, which broke over it."""
    pieces = jwt.sign(SIGNERS["ES256"], CLAIMS).split(".")
    pieces[part] = pieces[part][:9] + odd + pieces[part][9:]
    assert refused(".".join(pieces))


def test_an_encrypted_token_is_refused() -> None:
    head = b64(json.dumps({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "RS256.1"}).encode())
    assert refused(f"{head}.a2V5.aXY.Y2lwaGVy.dGFn") == "not three parts"


@pytest.mark.parametrize(("length", "read"), [(48_000, True), (50_000, False)])
def test_a_token_over_64_kb_is_refused_before_it_is_looked_at(length: int, read: bool) -> None:
    """A list of payments is one token: what we may send we can verify again."""
    token = jwt.sign(SIGNERS["ES256"], {"exp": NOW + 10, "data": "x" * length})
    assert (len(token) <= 65_536) is read
    if read:
        assert len(str(jwt.verify(token, KEYS, now_s=NOW)["data"])) == length
    else:
        assert refused(token) == "longer than 65536 characters"


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
def test_every_spelling_but_the_canonical_one_is_refused(alg: str, part: int) -> None:
    # ES256 and EdDSA signatures of 64 bytes leave 4 unused bits in the last character, RS256's 256 bytes too.
    pieces = jwt.sign(SIGNERS[alg], {"exp": NOW + 10, "pad": ""}).split(".")
    spellings = [pieces[part] + "=", pieces[part] + "\n", " " + pieces[part], pieces[part] + "A", pieces[part] + "=="]
    if len(pieces[part]) % 4:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        last = alphabet.index(pieces[part][-1])
        spellings.append(pieces[part][:-1] + alphabet[last + 1])
    for spelling in spellings:
        assert refused(".".join([*pieces[:part], spelling, *pieces[part + 1 :]]))


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_of_any_part_passes(place: int, bit: int) -> None:
    head, payload, signature = jwt.sign(SIGNERS["EdDSA"], CLAIMS).split(".")
    parts = [base64.urlsafe_b64decode(part + "==") for part in (head, payload, signature)]
    whole = bytearray(b"".join(parts))
    whole[place % len(whole)] ^= 1 << bit
    one, two = len(parts[0]), len(parts[0]) + len(parts[1])
    assert refused(".".join(b64(bytes(part)) for part in (whole[:one], whole[one:two], whole[two:])))


@pytest.mark.parametrize(
    "signature", [b"", b"\0" * 64, b"\0" * 63, b"\xff" * 64, b"\0" * 32 + b"\1" + b"\0" * 31, b"0" * 72, b"\1" * 256]
)
@pytest.mark.parametrize("alg", jwt.ALGORITHMS)
def test_an_odd_signature_is_refused(alg: str, signature: bytes) -> None:
    head, payload, _ = jwt.sign(SIGNERS[alg], CLAIMS).split(".")
    assert refused(f"{head}.{payload}.{b64(signature)}") == "the signature does not hold"


@pytest.mark.parametrize("place", [0, 32])
def test_an_ecdsa_signature_stretched_by_a_zero_is_refused(place: int) -> None:
    head, payload, signature = jwt.sign(SIGNERS["ES256"], CLAIMS).split(".")
    good = base64.urlsafe_b64decode(signature + "==")
    assert refused(f"{head}.{payload}.{b64(good[:place] + bytes(1) + good[place:])}") == "the signature does not hold"


def test_an_ecdsa_signature_in_der_is_refused() -> None:
    head, payload, _ = jwt.sign(SIGNERS["ES256"], CLAIMS).split(".")
    der = SIGNERS["ES256"].private.sign(f"{head}.{payload}".encode(), jwt._ECDSA)  # type: ignore[call-arg, arg-type]
    assert refused(f"{head}.{payload}.{b64(der)}") == "the signature does not hold"


@pytest.mark.parametrize("payload", [b"", b"[]", b'"x"', b"{", b'{"exp":1,"exp":2000000000}', b"\xff", b'{"exp":NaN}'])
def test_a_payload_that_is_no_strict_json_object_is_refused(payload: bytes) -> None:
    assert refused(forged(HEADER, payload)) == "the payload is not a JSON object"


@pytest.mark.parametrize("header", [b"[]", b'{"alg":"ES256","alg":"none","kid":"ES256.1"}', b"null"])
def test_a_header_that_is_no_strict_json_object_is_refused(header: bytes) -> None:
    assert refused(forged(header)) == "the header is not a JSON object"


@given(st.text(max_size=200) | st.from_regex(r"\A[A-Za-z0-9_.-]{0,200}\Z"))
def test_any_text_is_a_bad_token_and_nothing_worse(token: str) -> None:
    assert refused(token)
