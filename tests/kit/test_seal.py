"""Secrets at rest: what opens, what does not, and the key file's first start."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit.key_file import Ring, key_file_lock, read_ring, write_ring
from croupier.kit.seal import KeyFileRefused, SealBroken, Sealer, load_or_make_key

SEALER = Sealer(bytes(range(32)))
PLACE = "casinos.secret.7"


@given(st.binary(max_size=300), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_opens_to_what_was_sealed(plain: bytes, place: str) -> None:
    assert SEALER.open(SEALER.seal(plain, place), place) == plain


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_opens(place: int, bit: int) -> None:
    sealed = bytearray(SEALER.seal(b"a secret", PLACE))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        SEALER.open(bytes(sealed), PLACE)


@given(st.binary(max_size=60))
def test_rubbish_does_not_open(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        SEALER.open(sealed, PLACE)


def test_every_shorter_piece_does_not_open() -> None:
    sealed = SEALER.seal(b"a secret", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            SEALER.open(sealed[:length], PLACE)


@pytest.mark.parametrize("place", ["casinos.secret.8", "providers.secret.7", "casinos.old_secret.7", ""])
def test_a_value_moved_to_another_place_does_not_open(place: str) -> None:
    sealed = SEALER.seal(b"a secret", PLACE)
    with pytest.raises(SealBroken):
        SEALER.open(sealed, place)


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        Sealer(bytes(32)).open(SEALER.seal(b"a secret", PLACE), PLACE)


def test_the_same_secret_never_seals_alike_and_never_shows() -> None:
    one, two = SEALER.seal(b"a secret", PLACE), SEALER.seal(b"a secret", PLACE)
    assert one != two
    assert one[:5] == two[:5] == SEALER.mark()
    assert b"a secret" not in one


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(bytes(length))


# --- the key file -----------------------------------------------------------------------------------------------


def test_the_first_start_makes_a_key_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "home" / "sealing.key"
    old_mask = os.umask(0)
    try:
        key = load_or_make_key(path)
    finally:
        os.umask(old_mask)
    assert len(key) == 32
    assert key != bytes(32)
    assert load_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["sealing.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_a_key_that_others_may_touch_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "sealing.key"
    load_or_make_key(path)
    path.chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        load_or_make_key(path)


@pytest.mark.parametrize("length", [0, 31, 33, 5000])
def test_a_key_file_of_another_length_is_refused_and_left_alone(tmp_path: Path, length: int) -> None:
    path = tmp_path / "sealing.key"
    path.write_bytes(b"k" * length)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="32 bytes"):
        load_or_make_key(path)
    assert path.read_bytes() == b"k" * length


def _race(path: Path, start: "multiprocessing.synchronize.Barrier", found: "multiprocessing.Queue[bytes]") -> None:
    start.wait()
    found.put(load_or_make_key(path))


@pytest.mark.slow
def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(5):
        path, start, found = tmp_path / f"{turn}.key", context.Barrier(4), context.Queue()
        racers = [context.Process(target=_race, args=(path, start, found)) for _ in range(4)]
        for racer in racers:
            racer.start()
        keys = {found.get(timeout=30) for _ in racers}
        for racer in racers:
            racer.join()
        assert keys == {path.read_bytes()}
    assert len(list(tmp_path.iterdir())) == 5


def test_what_is_derived_belongs_to_one_key_and_one_purpose() -> None:
    derived = SEALER.derive("trail")
    assert len(derived) == 32
    assert derived == Sealer(bytes(range(32))).derive("trail")
    assert len({derived, SEALER.derive("other"), Sealer(bytes(32)).derive("trail"), bytes(range(32))}) == 4


# --- several keys -----------------------------------------------------------------------------------------------

OLD, NEW = bytes(range(32)), bytes(32)


def test_a_value_of_an_older_key_opens_and_the_newest_seals() -> None:
    both = Sealer(NEW, OLD)
    assert both.open(Sealer(OLD).seal(b"a secret", PLACE), PLACE) == b"a secret"
    sealed = both.seal(b"a secret", PLACE)
    assert Sealer(NEW).open(sealed, PLACE) == b"a secret"
    with pytest.raises(SealBroken):
        Sealer(OLD).open(sealed, PLACE)


def test_a_value_from_before_keys_had_ids_still_opens() -> None:
    nonce = bytes(12)
    sealed = b"\x01" + nonce + AESGCM(OLD).encrypt(nonce, b"a secret", b"\x01" + PLACE.encode())
    assert Sealer(OLD).open(sealed, PLACE) == b"a secret"
    assert Sealer(NEW, OLD).open(sealed, PLACE) == b"a secret"
    for sealer, place in ((Sealer(NEW), PLACE), (Sealer(OLD), "casinos.secret.8")):
        with pytest.raises(SealBroken):
            sealer.open(sealed, place)


def test_the_id_of_the_key_cannot_be_changed() -> None:
    sealed = Sealer(OLD).seal(b"a secret", PLACE)
    with pytest.raises(SealBroken):
        Sealer(NEW, OLD).open(Sealer(NEW).mark() + sealed[5:], PLACE)


def test_a_process_takes_on_the_keys_of_a_file_that_was_replaced(tmp_path: Path) -> None:
    """Another process changed the keys: what it seals is opened here, and here too the newest seals from then on."""
    path = tmp_path / "key"
    running = Sealer.of_file(path)
    first = read_ring(path).keys[0]
    kept = running.seal(b"kept", PLACE)
    write_ring(path, Ring((NEW, first)))
    other = Sealer.of_file(path)
    assert running.open(other.seal(b"a secret", PLACE), PLACE) == b"a secret"
    assert running.open(kept, PLACE) == b"kept"
    assert Sealer(NEW).open(running.seal(b"mine", PLACE), PLACE) == b"mine"
    write_ring(path, Ring((NEW,), (bytes(32),)))
    assert running.refresh()
    with pytest.raises(SealBroken):
        running.open(kept, PLACE)
    assert (path.stat().st_mode & 0o777) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["key"]


def test_a_file_that_is_away_for_a_moment_takes_no_key_away(tmp_path: Path) -> None:
    path = tmp_path / "key"
    running = Sealer.of_file(path)
    sealed = running.seal(b"kept", PLACE)
    path.rename(tmp_path / "aside")
    assert running.open(sealed, PLACE) == b"kept"
    assert running.open(running.seal(b"more", PLACE), PLACE) == b"more"
    path.write_bytes(b"{}")
    path.chmod(0o600)
    assert running.open(sealed, PLACE) == b"kept"


@pytest.mark.parametrize("keys", [(), (bytes(31),), (bytes(33),), tuple(bytes([n]) * 32 for n in range(17))])
def test_a_ring_that_cannot_be_is_refused(tmp_path: Path, keys: tuple[bytes, ...]) -> None:
    path = tmp_path / "key"
    write_ring(path, Ring(keys, (bytes(32),)))
    with pytest.raises(KeyFileRefused):
        read_ring(path)


def test_two_never_change_the_keys_at_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with key_file_lock(path), pytest.raises(KeyFileRefused, match="another command"), key_file_lock(path):
        pass
    with key_file_lock(path):
        pass
