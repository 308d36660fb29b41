"""The rule against private addresses, and the judgement of a URL when it is saved."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.kit.addresses import address_problem, check_url

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused(address: str) -> None:
    assert address_problem(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    assert address_problem(address) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_ipv6_is_judged_as_itself(inner: ipaddress.IPv4Address) -> None:
    assert address_problem(f"::ffff:{inner}") == address_problem(str(inner))
    assert address_problem(f"64:ff9b::{inner}") == address_problem(str(inner))
    assert address_problem(str(inner)) is not None or inner.is_global


@given(st.ip_addresses(v=6))
def test_only_global_unicast_passes(address: ipaddress.IPv6Address) -> None:
    inside = address.ipv4_mapped or address in ipaddress.ip_network("64:ff9b::/96")
    assert address_problem(str(address)) is not None or inside or address in ipaddress.ip_network("2000::/3")


@pytest.mark.parametrize(
    "url",
    [
        "https://casino.example",
        "http://casino.example:8080/api/v2/",
        "HTTPS://Casino.Example/x?y=1",
        "https://8.8.8.8/x",
        "https://[2606:4700::1111]:8443/x",
        "https://xn--bcher-kva.example/",
        "https://a_b.casino.example./",
    ],
)
def test_a_public_url_passes(url: str) -> None:
    assert check_url(url, allow_private=False) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "empty"),
        ("casino.example", "http://"),
        ("ftp://casino.example", "http://"),
        ("file:///etc/passwd", "http://"),
        ("javascript:alert(1)", "http://"),
        ("//casino.example/x", "http://"),
        ("http:casino.example", "no host"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://:80/", "no host"),
        ("http://u@casino.example", "user name"),
        ("http://u:p@casino.example", "user name"),
        ("http://casino.example@10.0.0.1", "user name"),
        ("http://casino.example/#x", "fragment"),
        ("http://casino.example/#", "fragment"),
        ("http://casino.example/a b", "white space"),
        ("http://casino.example/\r\nX: y", "white space"),
        (" http://casino.example/", "white space"),
        ("http://casino.example\\@10.0.0.1/", "backslash"),
        ("http://bücher.example/", "non-ASCII"),
        ("http://casino.example/\x7f", "control"),
        ("http://casino.example:0/", "port"),
        ("http://casino.example:/", "port"),
        ("http://casino.example:65536/", "URL"),
        ("http://casino.example:8x/", "port|URL"),
        ("http://[::1/", "URL"),
        ("http://[::1]evil.example/", "port|URL"),
        ("http://[v1.x]/", "port|URL"),
        ("http://%31%30.0.0.1/", "port"),
        ("http://-casino.example/", "neither"),
        ("http://a..b/", "neither"),
        ("http://casino.example/" + "x" * 2048, "longer"),
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_a_url_that_nobody_should_save_is_refused_in_words(url: str, why: str, allow_private: bool) -> None:
    problem = check_url(url, allow_private=allow_private)
    assert problem
    assert any(word in problem for word in why.split("|"))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://10.0.0.1",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost/",
        "http://LOCALHOST:1/",
        "http://db.localhost./",
    ],
)
def test_a_private_url_passes_only_where_private_peers_are_allowed(url: str) -> None:
    assert check_url(url, allow_private=False)
    assert check_url(url, allow_private=True) is None


@given(st.text(max_size=60) | st.text("htp:/@[]#?%.\\0127xA ", max_size=40).map("http://".__add__))
def test_any_text_gets_an_answer(url: str) -> None:
    for allow_private in (False, True):
        assert check_url(url, allow_private=allow_private) != ""
