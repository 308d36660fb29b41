"""Every block of docs/OPERATIONS.md is run as it stands, against one hub with a casino and a studio, and keeps what the page says.

Only what `stand_ins` names is replaced: paths, ports, addresses, ids and tokens. A shell runs the commands of a block one
after the other. What no test machine can do stands in `NEEDS_MORE`, and the page says so beside the block.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Zygote, furnished
from tests.conftest import make_home, remove_home
from tests.docs.operations_stage import NOT_RUN, PAGE, Ran, Stage, blocks, ended, servers, until

pytestmark = [pytest.mark.xdist_group("blocks of operations"), pytest.mark.timeout(300)]

BLOCKS = blocks(PAGE.read_text("utf-8"))

NEEDS_MORE = {
    "One machine from the beginning 1": "needs root and a domain",
    "One machine from the beginning 2": "needs root and systemd",
    "Traces 1": "needs a package index",
}
"""The blocks that are not run, each with the reason that the page gives beside it."""
DRILLED = {name for name in BLOCKS if name.startswith("An external PostgreSQL ")}
"""The blocks that tests/apps/test_external_restore.py runs: they lose a server and restore it."""


def token_of(file: str) -> str:
    """The token in a file that a command of the block wrote before, as the shell reads it."""
    return f"""$(python -c 'import json; print(json.load(open("{file}"))["Secret"])')"""


StandIn = Callable[[Stage], str]

BACKUPS: dict[str, StandIn] = {"/mnt/backups": lambda s: f"{s.folder}/backups"}
ARCHIVES: dict[str, StandIn] = {"/mnt/archive": lambda s: f"{s.folder}/archive"}
STAND_INS: dict[str, dict[str, StandIn]] = {
    "Start 1": {"--port 8080": lambda s: f"--port {s.port}"},
    "Backup 1": BACKUPS,
    "Backup 2": {"/mnt/backups/croupier-20251101T030000Z.tar.age": lambda s: str(s.backup)},
    "Retention 1": ARCHIVES,
    "Retention 2": ARCHIVES,
    "Two persons for one decision 1": {
        "CROUPIER_TOKEN=cra_… croupier payment": lambda s: f"CROUPIER_TOKEN={token_of('mia.json')} croupier payment",
        "CROUPIER_TOKEN=cra_… croupier bet": lambda s: f"CROUPIER_TOKEN={token_of('mia.json')} croupier bet",
        "CROUPIER_TOKEN=cra_… croupier proposal": lambda s: f"CROUPIER_TOKEN={token_of('ben.json')} croupier proposal",
        "4711:payout": lambda s: f"{s.id_of('paid by hand')}:payout",
        "4712": lambda s: s.id_of("to return"),
        "approve 7": lambda s: "approve 1",
        "refuse 8": lambda s: "refuse 2",
    },
    "Commands from another machine 1": {
        "https://hub.internal.example": lambda s: s.hub_url,
        "cra_…": lambda s: token_of("eve.json"),
        "close 17": lambda s: f"close {s.incident_of('seen 1')}",
    },
    "Incidents 1": {"17 18": lambda s: f"{s.incident_of('seen 2')} {s.incident_of('seen 3')}"},
    "Who is told 1": {
        "https://alerts.example/croupier": lambda s: s.places["webhook"],
        "mail.example:587": lambda s: s.places["mail"],
    },
    "Find bets, payments and sessions 1": {"1234567": lambda s: s.transaction},
    "Client certificates 1": {"/etc/croupier/": lambda s: f"{s.folder}/tls/"},
    "Reconciliation 1": {"2025-11-01": lambda s: s.annas_day, "BETID": lambda s: s.annas_bet},
    "Traces 2": {"http://127.0.0.1:4318": lambda s: s.places["collector"]},
}
"""By block: the text in the page, and the text of the stage that stands in for it. Nothing else is changed."""


def commands(stage: Stage, name: str) -> list[str]:
    """The commands of a block as the stage can run them."""
    text = "\n".join(BLOCKS[name].commands)
    for said, stand_in in STAND_INS.get(name, {}).items():
        assert said in text, f"the table replaces {said!r}, which the block {name} does not say"
        text = text.replace(said, stand_in(stage))
    return text.splitlines()


def run(stage: Stage, name: str, **more: str) -> list[Ran]:
    """Run a whole block, and return what came of each command."""
    return stage.shell(commands(stage, name), **more).wait()


def all_did(ran: list[Ran], *codes: int) -> list[str]:
    """What the commands printed, if they ended with these codes; with 0 where none is named."""
    wanted = list(codes) or [0] * len(ran)
    assert [one.code for one in ran] == wanted, "\n".join(f"{one.code} {one.command}\n{one.said}" for one in ran)
    return [one.words for one in ran]


# --- the stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The hub as the first block starts it, with a round of player anna behind it."""
    zygote, folder, restored = Zygote(tmp_path_factory.mktemp("said")), make_home(), make_home()
    try:
        with furnished(zygote) as cli, ended(Stage(cli, folder, restored)) as made, servers(made):
            made.write_rows()
            made.hub = made.shell(commands(made, "Start 1"))
            made.hub.await_words("worker.ready", times=2)
            made.join()
            made.open_session()
            assert made.bet("b-77", "r-77", win="25.00") == 1
            yield made
    finally:
        zygote.end()
        remove_home(restored)
        shutil.rmtree(folder)


# --- what each block must show


def start(stage: Stage) -> None:
    """Two workers serve and are ready."""
    assert stage.hub is not None
    assert stage.hub.said().count("worker.ready") >= 2
    with urlopen(f"{stage.hub_url}/readyz", timeout=10) as answer:
        assert answer.status == 200


def backup(stage: Stage) -> None:
    """One file that was read back whole, and the new key that opens it, with what to do with it."""
    (said,) = all_did(run(stage, "Backup 1"))
    assert "read back whole" in said
    assert f"{stage.cli.home}/backup.key is the new key of the backups" in said
    assert stage.backup.stat().st_size > 10_000


def restore(stage: Stage) -> None:
    """A new machine with the two keys has the bets again, and its hub begins recovery by itself."""
    stage.stop_hub()
    if not (stage.folder / "backups").exists():
        backup(stage)
    for key in ("key", "backup.key"):
        shutil.copy2(stage.cli.home / key, stage.restored / key)
    machine = {"CROUPIER_HOME": str(stage.restored), "CROUPIER_PORT": str(stage.other_port)}
    shell = stage.shell(commands(stage, "Backup 2"), **machine)
    try:
        shell.await_words("worker.ready")
        status = stage.cli.ok("recover", "status", CROUPIER_HOME=str(stage.restored)).out
    finally:
        ran = shell.stop()
    restored, health, _ = all_did(ran, 0, 1, 0)
    assert "Restored the backup of" in restored
    assert "no process serves" in health
    assert health.count(" wrong ") == 1, "nothing else is wrong"
    assert "no new bets" in status


def vouch(stage: Stage) -> None:
    """The restored trail is signed with the reason, which the report shows."""
    if not (stage.restored / "postgres").exists() and not (stage.restored / "postgres.at").exists():
        restore(stage)
    (said,) = all_did(run(stage, "The audit trail 1", CROUPIER_HOME=str(stage.restored)))
    assert "restored from the dump of Tuesday, ticket 411" in said
    assert "The trail verifies." in said


def archive(stage: Stage) -> None:
    """The bets of both years are in the file, and the file verifies."""
    written, verified = all_did(run(stage, "Retention 1"))
    assert "2 bets and cashbacks that were over before 2024-11-01" in written
    assert "The archives verify." in verified


def prune(stage: Stage) -> None:
    """The older bet alone loses its entries, first only in words, and the files hold what is gone."""
    written, counted, deleted, audited = all_did(run(stage, "Retention 2"))
    assert "1 bets and cashbacks that were over before 2015-11-01" in written
    assert "1 bets and cashbacks would lose their entries and events" in counted
    assert "1 bets and cashbacks lost 4 entries" in deleted
    assert "The files hold every entry and event that was deleted." in audited


def complete(stage: Stage) -> None:
    """A line in ~/.bashrc, as the page says."""
    (said,) = all_did(run(stage, "Completion and progress 1"))
    assert "bash completion installed" in said
    assert "croupier" in (stage.folder / ".bashrc").read_text("utf-8")


def two_persons(stage: Stage) -> None:
    """What mia proposed is done when ben approves it, in both names, and is not done when he refuses it."""
    *_, listed, approved, refused = all_did(run(stage, "Two persons for one decision 1"))
    assert f"payment give-up {stage.id_of('paid by hand')}:payout" in listed
    assert "Proposal 1 is done" in approved
    assert "Proposal 2" in refused
    assert "is refused: the round went on" in refused
    moments = stage.cli.json("trace", stage.id_of("paid by hand"))["moments"]
    assert "mia, approved by ben" in [moment["author"] for moment in moments]
    assert stage.cli.json("trace", stage.id_of("to return"))["subject"]["state"] == "on"


def from_another_machine(stage: Stage) -> None:
    """With the hub's address and a token the lists are there, and the books name the account."""
    made, _, listed, traced, closed = all_did(run(stage, "Commands from another machine 1"), 0, 0, 3, 0, 0)
    assert "eve.json" in made
    assert "Parked payments" in listed
    assert "b-77" in traced
    incident = stage.incident_of("seen 1")
    assert f"Incident {incident} is closed" in closed
    assert stage.value(f"select closed_by from incidents where incident_id = {incident}") == "eve"


def incidents(stage: Stage) -> None:
    """Two are closed at once, and the older outage is shown without being closed."""
    closed, shown = all_did(run(stage, "Incidents 1"))
    assert "2 incidents" in closed
    assert stage.id_of("outage") in shown
    assert "Nothing was closed." in shown


def notify(stage: Stage) -> None:
    """The webhook has got the test message."""
    *_, sent, listed = all_did(run(stage, "Who is told 1"))
    assert "took the test message" in sent
    assert any("test" in json.dumps(json.loads(body)) for body in stage.hooks)
    assert "on-call" in listed
    assert "night" in listed


def find(stage: Stage) -> None:
    """The same bet is found by its player, its round and the casino's transaction."""
    bets, payments, sessions, player, *traces = all_did(run(stage, "Find bets, payments and sessions 1"))
    assert stage.annas_bet in bets
    assert f"{stage.id_of('seen 1')}:payout" in payments
    assert stage.session in sessions
    assert stage.annas_bet in player
    assert [f"Bet {stage.annas_bet}" in traced for traced in traces] == [True] * 3


def certificates(stage: Stage) -> None:
    """A casino that lets nobody in without a certificate is reached with these files."""
    before = stage.cli.json("casino", "show", "Aurora")["url"]
    stage.cli.ok("casino", "set", "Aurora", f"url={stage.places['casino']}")
    try:
        *_, health = all_did(run(stage, "Client certificates 1"))
    finally:
        stage.cli.ok("casino", "set", "Aurora", f"url={before}", "client_cert=", "client_key=", "ca=")
    assert f"{stage.places['casino']} is reachable" in health
    assert f"the client certificate {stage.folder}/tls/aurora.pem expires in" in health


def reconcile(stage: Stage) -> None:
    """The bet that both have agrees, also by its day; the open one, which the casino never saw, is a finding."""
    until(lambda: stage.value("select count(*) from findings where closed_ms is null") > 0, "a finding of the hub")
    listed, day, opened, one = all_did(run(stage, "Reconciliation 1"), 3, 3, 3, 0)
    assert "Open findings" in listed
    assert "1 agrees" in day
    assert "Compared 1: 1 differs" in opened
    assert "Open findings: none" in one


def traces(stage: Stage) -> None:
    """The hub that was started again posts the spans of a bet."""
    all_did(stage.stop_hub())
    shell = stage.shell(commands(stage, "Traces 2"))
    try:
        shell.await_words("worker.ready")
        assert stage.bet("b-78", "r-78") == 1
        bet_id = int(stage.value("select bet_id from bets where round_ref = 'r-78'"))
        until(lambda: bool(stage.collected.of_bet(bet_id)), "a span of the bet")
    finally:
        ran = shell.stop()
    all_did(ran)


def recover(stage: Stage) -> None:
    """Recovery is on before the hub serves, with the reason and the time that were given."""
    stage.stop_hub()
    (said,) = all_did(run(stage, "After a restore 1"))
    assert "restored from the 3 o'clock snapshot" in said
    told = stage.cli.json("recover", "status")
    assert (told["active"], told["recovery"]["since_ms"]) == (True, 1_761_966_000_000)


SCENES: dict[str, Callable[[Stage], None]] = {
    "Start 1": start,
    "Backup 1": backup,
    "Retention 1": archive,
    "Retention 2": prune,
    "Completion and progress 1": complete,
    "Two persons for one decision 1": two_persons,
    "Commands from another machine 1": from_another_machine,
    "Incidents 1": incidents,
    "Who is told 1": notify,
    "Find bets, payments and sessions 1": find,
    "Client certificates 1": certificates,
    "Reconciliation 1": reconcile,
    # These stop the hub of the first block, so they come last.
    "Traces 2": traces,
    "After a restore 1": recover,
    "Backup 2": restore,
    "The audit trail 1": vouch,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_a_block_does_what_the_page_says(stage: Stage, name: str) -> None:
    SCENES[name](stage)


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    """A new block needs a scene or a reason; a scene or a reason without its block fails too."""
    assert set(BLOCKS) - set(SCENES) - set(NEEDS_MORE) - DRILLED == set(), "a block that nothing runs"
    assert set(SCENES) | set(NEEDS_MORE) | DRILLED == set(BLOCKS), "a block that is gone"
    assert set(SCENES) & set(NEEDS_MORE) == set()
    assert PAGE.read_text("utf-8").count("```") == 2 * len(BLOCKS), "no block is written so that it is overlooked"
    assert set(STAND_INS) <= set(SCENES)
    told = {name: block.after for name, block in BLOCKS.items() if block.after.startswith(NOT_RUN)}
    assert told == {name: f"{NOT_RUN}{reason}." for name, reason in NEEDS_MORE.items()}
    assert PAGE.read_text("utf-8").count(NOT_RUN.strip()) == len(NEEDS_MORE)
