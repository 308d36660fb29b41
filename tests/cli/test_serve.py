"""`croupier serve`: it listens, answers, and ends when told to."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request

import pytest

from croupier import __version__
from tests.cli.conftest import Cli, end


@pytest.mark.one_in(2)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_it_serves_until_told_to_end(cli: Cli, number: signal.Signals) -> None:
    process = cli.start("serve", "--port", "0", "--workers", "2")
    assert process.stderr is not None
    told = re.search(r"listens on (http://\S+)", process.stderr.readline())
    assert told is not None
    with urllib.request.urlopen(f"{told[1]}/version", timeout=30) as answer:
        assert json.load(answer) == {"name": "croupier", "version": __version__}
    assert end(process, number).code == 0


@pytest.mark.slow
def test_with_json_logs_every_line_of_it_is_json(cli: Cli) -> None:
    process = cli.start("serve", "--port", "0", CROUPIER_LOG_JSON="1")
    assert process.stderr is not None
    told = json.loads(process.stderr.readline())
    assert told["event"] == "serve.listens"
    with urllib.request.urlopen(f"{told['address']}/version", timeout=30) as answer:
        assert json.load(answer)["version"] == __version__
    said = end(process)
    assert said.code == 0
    assert all(json.loads(line)["event"] for line in said.err.splitlines())


@pytest.mark.slow
def test_it_does_not_say_that_it_listens_before_it_can_serve(cli: Cli) -> None:
    complaint = cli.complaint("serve", "--port", "0", CROUPIER_DATABASE_URL="postgresql://hub@127.0.0.1:1/hub")
    assert "database is away" in complaint


def test_a_port_that_is_taken_is_told(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        complaint = cli.complaint("serve", "--port", str(taken.getsockname()[1]))
    assert "choose another with --port" in complaint
