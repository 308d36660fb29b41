"""Inputs by the thousand from one seed: valid samples, samples with odd fields, broken samples, and bombs.

Fast and blind, beside Hypothesis, which looks cleverly and slowly. The same seed breeds the same inputs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

NUMBERS = [
    b"0", b"-0", b"1", b"-1", b"200", b"200.0", b"2e2", b"20E+1", b"0200", b"103804", b"103805", b"102145", b"500", b"0x10",
    b"9007199254740991", b"9007199254740992", b"-9007199254740993", b"1e400", b"1E-400", b"1e999999999", b"1" * 64, b"1" * 65,
    b"0." + b"0" * 62, b"0." + b"0" * 63, b"12.50", b"12.500000000", b"00.1", b"1.", b".5", b"+1", b"NaN", b"-Infinity",
    b"999999999999999.99999999", b"1000000000000000", b"1_000", b"\xd9\xa1", b"\xef\xbc\x91", b"1e5", b"4", b"-2", b"2",
]  # fmt: skip
STRINGS = [
    b'""', b'" "', b'"200"', b'"12.50"', b'"0"', b'"-1"', b'"+1"', b'"1e3"', b'"1,5"', b'" 1"', b'"1 "', b'"1\\n"', b'"NaN"',
    b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\\u0031"', b'"\\u0661"', b'"\xd9\xa1"', b'"\xff"',
    b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"a\x00b"', b'"a\x1fb"', b'"\x7f"', b'"\\x41"', b'"\\', b'"',
    b'"' + b"x" * 128 + b'"', b'"' + b"x" * 129 + b'"', b'"\xe2\x80\xae"', b'"\xc2\xa0"', b'"\\/"', b'"Success"', b"'a'",
    b'"https://game.test/x"', b'"http://game.test"', b'"https://a@b/"', b'"javascript:alert(1)"', b'"https://[::1"',
    b'"2026-01-02T03:04:05Z"', b'"1790000000"', b'"2026-13-99"', b'"EUR"',
]  # fmt: skip
OTHERS = [
    b"null", b"true", b"false", b"[]", b"{}", b"[[]]", b'{"a":1}', b'{"a":1,"a":2}', b"", b"nul", b"undefined", b"[1,]", b"{,}",
    b'{"a"}', b"[" * 31 + b"]" * 31, b"[" * 33 + b"]" * 33,
]  # fmt: skip
ODD = [*NUMBERS, *STRINGS, *OTHERS]
PIECES = [
    *ODD, b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\x00", b"\xff", b"\xef\xbb\xbf", b" ", b"\n", b"\t",
    b"\x0b", b"\xc2\xa0", b"//", b"/**/", b"#", b";", b"e", b"E", b"-", b".", b"=", b"'", b"\r\n",
]  # fmt: skip
_SPOT = re.compile(rb'"[^"]*"|-?[0-9.]+|[A-Za-z]+')


class Breeder:
    """Draws inputs from one source of chance."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)

    def one(self, among: Sequence[bytes]) -> bytes:
        """One of them."""
        return among[int(self.chance.random() * len(among))]

    def record(self, fields: Mapping[str, Sequence[bytes]], calm: float = 0.92) -> bytes:
        """An object of these fields: mostly there, mostly with a good value, in any order, sometimes with more."""
        chance = self.chance.random
        members = []
        for name, good in fields.items():
            if chance() > 0.97:
                continue
            value = self.one(good) if chance() < calm else self.one(ODD)
            members.append(self._key(name) + self._blank() + b":" + self._blank() + value)
            if chance() > 0.99:
                members.append(self._key(name) + b":" + self.one(ODD))
        if chance() > 0.9:
            members.append(b'"zz":' + self.one(ODD))
        if chance() > 0.8:
            self.chance.shuffle(members)
        return b"{" + b",".join(members) + b"}"

    def _key(self, name: str) -> bytes:
        if self.chance.random() > 0.98:
            return b'"\\u%04x' % ord(name[0]) + name[1:].encode() + b'"'
        return b'"' + name.encode() + b'"'

    def _blank(self) -> bytes:
        return b"" if self.chance.random() < 0.95 else self.one((b" ", b"\n", b"\t", b"\r", b"\x0b", b"\xc2\xa0"))

    def twisted(self, sample: bytes) -> bytes:
        """The sample, broken in one to three places."""
        for _ in range(1 + int(self.chance.random() * 3)):
            sample = self._twist(sample)
        return sample

    def _twist(self, sample: bytes) -> bytes:
        chance = self.chance.random
        where, how = int(chance() * (len(sample) + 1)), int(chance() * 8)
        upto = where + 1 + int(chance() * 6)
        if how == 0 and where < len(sample):
            return sample[:where] + bytes((sample[where] ^ 1 << int(chance() * 8),)) + sample[where + 1 :]
        if how == 1:
            return sample[:where] + sample[upto:]
        if how == 2:
            return sample[:upto] + sample[where:]
        if how == 3:
            return sample[:where]
        if how == 4:
            spots = list(_SPOT.finditer(sample))
            if spots:
                spot = spots[int(chance() * len(spots))]
                return sample[: spot.start()] + self.one(ODD) + sample[spot.end() :]
        if how == 5:
            return sample[:where] + bytes((int(chance() * 256),)) + sample[where:]
        return sample[:where] + self.one(PIECES) + sample[where:]

    def noise(self) -> bytes:
        """Bytes of no meaning."""
        return self.chance.randbytes(int(self.chance.random() * 60))

    def bomb(self, around: bytes = b"%s") -> bytes:
        """Something large that a careless reader would choke on; `around` holds `%s` where it goes."""
        size = int(self.chance.random() * 33_000)
        made = _BOMBS[int(self.chance.random() * len(_BOMBS))](size)
        return around.replace(b"%s", made, 1)


_BOMBS = (
    lambda n: b"[" * n + b"]" * n,
    lambda n: b"[" * (2 * n),
    lambda n: b'{"a":' * (n // 3) + b"1" + b"}" * (n // 3),
    lambda n: b'{"":' * (n // 2),
    lambda n: b"1" * (2 * n),
    lambda n: b"0." + b"1" * n,
    lambda n: b"1e" + b"9" * n,
    lambda n: b"-" * n,
    lambda n: b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(n // 12)) + b"}",
    lambda n: b"{" + b'"k":1,' * (n // 6) + b'"k":1}',
    lambda n: b"[" + b"0," * n + b"0]",
    lambda n: b'["' + b'","' * (n // 2) + b'"]',
    lambda n: b'"' + b"\\" * n + b'"',
    lambda n: b'"' + b'\\"' * n,
    lambda n: b'"' + b"\\u0041" * (n // 6) + b'"',
    lambda n: b'"' + b"\\ud83d" * (n // 6) + b'"',
    lambda n: b'"' + b"[{" * n + b'"',
    lambda n: b'"' + b"\xf0\x9f\x8e\xb0" * (n // 4) + b'"',
    lambda n: b'"' * n,
    lambda n: b" " * (2 * n) + b"1",
    lambda n: b"\xff" * n,
    lambda n: b"[[],{}," * (n // 8),
    lambda n: b'{"a":[' * 15 + b'"x",' * n,
    lambda n: b"." * n,
    lambda n: b"eyJ" + b"A" * n + b"." + b"A" * n + b".",
)
