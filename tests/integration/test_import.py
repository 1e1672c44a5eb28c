"""Tables are imported into a real vault with real holders: each row once, whoever is killed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cluster import VAULT, Cluster
from support.plants import AUTHORED, COLUMNS, MAPPING, SCHEMA, csv_bytes, plant
from support.sites import make_two_sites

from proofs.schema import Schema
from vault import cli
from vault.client import documents, pinned_schemas
from vault.client.session import at_vault
from vault.identity import Identity

CROSSVAULT = (sys.executable, "-c", "from vault.cli import main; main()")
MOMENT = 120.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Both sites' processes, for all tests of this module."""
    with Cluster(make_two_sites(tmp_path_factory.mktemp("sites"))) as running:
        running.start()
        yield running


class Work:
    """A folder with a schema, a mapping and tables, and one custodian who imports them."""

    def __init__(self, folder: Path, identity: Path) -> None:
        self.folder = folder
        self.identity = identity
        (folder / "plants.mapping.toml").write_text(MAPPING)
        (folder / "plants.schema.json").write_bytes(AUTHORED)
        assert cli.run(["schema", "add", str(folder / "plants.schema.json"), *self.who]) == 0

    @property
    def who(self) -> tuple[str, str]:
        return "--as", str(self.identity)

    def table(self, prefix: str, count: int, *, bad: dict[int, dict[str, str]]) -> Path:
        """A table of so many plants; `bad` changes cells of some."""
        rows = [plant(i, **{"id": f"{prefix}-{i}", **bad.get(i, {})}) for i in range(1, count + 1)]
        path = self.folder / f"{prefix}.csv"
        path.write_bytes(csv_bytes(rows))
        return path

    def command(self, table: Path, *more: str) -> list[str]:
        mapping = str(self.folder / "plants.mapping.toml")
        refused = str(self.refused(table))
        return [
            *("import", str(table), "--schema", SCHEMA.name, "--mapping", mapping),
            *("--refused", refused, "--json", *self.who, *more),
        ]

    def refused(self, table: Path) -> Path:
        return table.with_suffix(".refused.csv")

    def start(self, table: Path, *more: str) -> subprocess.Popen[str]:
        """The import as a process of its own, which can be killed."""
        return subprocess.Popen(
            [*CROSSVAULT, *self.command(table, *more)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "GRPC_VERBOSITY": "NONE"},
        )

    def stored(self, prefix: str) -> Counter[str]:
        """How often each asset of a table is in the vault."""
        with at_vault(self.identity, documents.SERVICE) as session:
            return Counter(
                each.attestation.asset
                for each in documents.list_documents(session.channel, session.identity)
                if each.attestation.asset.startswith(f"cn-plant-{prefix}-")
            )

    def journal_lines(self) -> int:
        path = self.identity / "imports" / f"{SCHEMA.digest}.journal"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def wait_for(self, lines: int, process: subprocess.Popen[str]) -> None:
        """Until so many rows were noted as stored, with the import still under way."""
        end = time.monotonic() + MOMENT
        while self.journal_lines() < lines:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.005)


@pytest.fixture
def work(cluster: Cluster, tmp_path: Path) -> Work:
    return Work(tmp_path, cluster.sites.folder("cn", "custodian", "bank"))


def every_one_once(prefix: str, numbers: range, *, but: set[int]) -> Counter[str]:
    return Counter(f"cn-plant-{prefix}-{i}" for i in numbers if i not in but)


BAD = {
    7: {"commissioned": "1996-2006"},
    70: {"capacity": ""},
    140: {"fuel": "Hydra", "owner": "Some\u200bbody"},
}


def test_rows_are_stored_and_bad_ones_reported(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """150 rows of which three do not fit: 147 documents, three reasons, exit code 1.

    The same again stores nothing; the mended rows alone are added.
    """
    table = work.table("a", 150, bad=BAD)
    assert cli.run(work.command(table)) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"imported": 147, "already": 0, "refused": 3}
    assert "columns that go into no document: remarks" in printed.err
    assert work.stored("a") == every_one_once("a", range(1, 151), but=set(BAD))

    path = work.refused(table)
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["refused_row", "refused_line", "refused_reason", *COLUMNS]
    assert [(row[0], row[1]) for row in rows[1:]] == [("7", "8"), ("70", "71"), ("140", "141")]
    assert rows[1][2].startswith("commissioned: '1996-2006' is not a number: a range")
    assert rows[2][2] == "capacity: missing"
    assert "fuel: 'Hydra'" in rows[3][2]
    assert "Some" not in rows[3][2]
    assert rows[1][3:] == list(plant(7, id="a-7", commissioned="1996-2006"))

    assert cli.run(work.command(table)) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"imported": 0, "already": 147, "refused": 3}

    work.table("a", 150, bad={})
    assert cli.run(work.command(table)) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"imported": 3, "already": 147, "refused": 0}
    assert work.stored("a") == every_one_once("a", range(1, 151), but=set())


def test_a_lost_journal_costs_no_duplicates(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """What was stored is found by request id and adopted, when this disk has forgotten it."""
    table = work.table("lost", 5, bad={})
    assert cli.run(work.command(table, "--limit", "3")) == 0
    (work.identity / "imports" / f"{SCHEMA.digest}.journal").unlink()
    assert cli.run(work.command(table)) == 0
    outputs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[0] == "{"]
    assert [(each["imported"], each["already"]) for each in outputs] == [(3, 0), (2, 3)]
    assert work.stored("lost") == every_one_once("lost", range(1, 6), but=set())


def test_equal_rows_are_two_documents(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """A row that occurs twice is attested twice, and still twice after a second import."""
    table = work.folder / "twin.csv"
    table.write_bytes(csv_bytes([plant(1, id="twin-1"), plant(1, id="twin-1")]))
    for _ in range(2):
        assert cli.run(work.command(table)) == 0
    assert work.stored("twin") == Counter({"cn-plant-twin-1": 2})


def test_the_client_is_killed(work: Work) -> None:
    """SIGKILL of the import twice, at another place each time: none lost, none twice."""
    table = work.table("b", 150, bad=BAD)
    before = work.journal_lines()
    for lines in (24, 96):
        process = work.start(table, "--batch", "8")
        work.wait_for(before + lines, process)
        process.kill()
        process.communicate()
    assert 0 < len(work.stored("b")) < 147
    process = work.start(table)
    out, err = process.communicate(timeout=MOMENT)
    assert process.returncode == 1, err
    counts = json.loads(out)
    assert counts["imported"] + counts["already"] == 147
    assert counts["already"] >= 96
    assert work.stored("b") == every_one_once("b", range(1, 151), but=set(BAD))


def test_the_vault_is_killed(work: Work, cluster: Cluster) -> None:
    """SIGKILL of the vault while rows come in; the import waits for it and ends by itself."""
    table = work.table("c", 150, bad=BAD)
    before = work.journal_lines()
    process = work.start(table, "--batch", "8")
    work.wait_for(before + 40, process)
    cluster.kill(VAULT)
    cluster.start([VAULT])
    out, err = process.communicate(timeout=MOMENT)
    assert process.returncode == 1, err
    assert json.loads(out) == {"imported": 147, "already": 0, "refused": 3}
    assert work.stored("c") == every_one_once("c", range(1, 151), but=set(BAD))


def test_client_and_vault_are_killed(work: Work, cluster: Cluster) -> None:
    """Both at once, in the middle of a batch: what was committed is adopted, the rest put."""
    table = work.table("d", 150, bad=BAD)
    before = work.journal_lines()
    process = work.start(table, "--batch", "8")
    work.wait_for(before + 40, process)
    cluster.kill(VAULT)
    process.kill()
    process.communicate()
    cluster.start([VAULT])
    assert cli.run(work.command(table)) == 1
    assert work.stored("d") == every_one_once("d", range(1, 151), but=set(BAD))
    assert cluster.sites.identity("cn", "custodian", "bank").folder.joinpath("puts").is_dir()
    assert list((work.identity / "puts").iterdir()) == []


def test_only_one_import_at_a_time(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """A second import of one identity is refused while the first runs."""
    table = work.table("e", 150, bad={})
    before = work.journal_lines()
    process = work.start(table, "--batch", "8")
    work.wait_for(before + 8, process)
    assert cli.run(work.command(table)) == 1
    assert "another import is running" in capsys.readouterr().err
    process.communicate(timeout=MOMENT)
    assert process.returncode == 0


def test_a_dry_run_stores_nothing(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten rows as they would be attested, in 80 columns, the refusals, and no trace of either."""
    bad = {3: {"fuel": "Steam"}}
    table = work.table("dry", 20, bad=bad)
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    before = work.journal_lines()
    assert cli.run([*work.command(table), "--dry-run"]) == 1
    printed = capsys.readouterr()
    assert "row 1: cn-plant-dry-1, as of 2018-06-01, valid until 2038-06-01" in printed.out
    assert "100.00 MW" in printed.out
    assert printed.out.count("cn-plant-dry-") == 10
    assert max(len(line) for line in printed.out.splitlines()) <= 80
    assert "row 3 (line 4) would be refused: fuel: 'Steam' is not one of" in printed.err
    assert "19 rows fit, 1 would be refused" in printed.err
    assert not work.refused(table).exists()
    assert (work.journal_lines(), work.stored("dry")) == (before, Counter())


def test_a_byte_order_mark(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """A table as spreadsheets save it imports like any other."""
    table = work.table("bom", 2, bad={})
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\r\n", b"\n"))
    assert cli.run(work.command(table)) == 0
    assert work.stored("bom") == every_one_once("bom", range(1, 3), but=set())


def test_a_holder_that_stays_away(
    work: Work, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is stored while a holder is down; when it is back, the import goes on."""
    table = work.table("f", 4, bad={})
    cluster.kill("hk/h2")
    process = work.start(table)
    time.sleep(1.5)
    assert process.poll() is None
    assert work.stored("f") == Counter()
    cluster.start(["hk/h2"])
    out, err = process.communicate(timeout=MOMENT)
    assert process.returncode == 0, err
    assert "the holder h2 at" in err
    assert json.loads(out)["imported"] == 4
    assert work.stored("f") == every_one_once("f", range(1, 5), but=set())


def test_rows_that_only_the_vault_refuses(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """One row that the vault refuses does not take the others of its batch with it.

    When it refuses all of a batch, the import ends and says why.
    """
    rows = [(*plant(i, id=f"day-{i}"), "2018-06-01") for i in range(1, 6)]
    rows[2] = (*rows[2][:-1], "2999-01-01")
    table = work.folder / "day.csv"
    mapping = work.folder / "plants.mapping.toml"
    mapping.write_text(MAPPING.replace('"2018-06-01"', '"{day}"'))
    table.write_bytes(csv_bytes(rows, columns=(*COLUMNS, "day")))
    assert cli.run(work.command(table)) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"imported": 4, "already": 0, "refused": 1}
    assert work.stored("day") == every_one_once("day", range(1, 6), but={3})
    assert "3,4,attestation: speaks of days to come" in work.refused(table).read_text()

    mapping.write_text(MAPPING.replace('"2018-06-01"', '"2999-01-01"'))
    assert cli.run(work.command(table)) == 1
    printed = capsys.readouterr()
    assert "the vault refuses every row of a batch" in printed.err
    assert work.stored("day") == every_one_once("day", range(1, 6), but={3})


def test_a_schema_that_the_vault_does_not_know(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """What every row would be refused for is said once, before the first."""
    authored = json.loads(AUTHORED) | {"name": "other-plant"}
    pinned_schemas.pin(
        Identity.load(work.identity), Schema.from_author(json.dumps(authored).encode())
    )
    table = work.table("unknown", 3, bad={})
    command = [each if each != SCHEMA.name else "other-plant" for each in work.command(table)]
    assert cli.run(command) == 1
    assert "the vault does not know schema other-plant" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"id,name\n1,\xff\n", "line 2: not UTF-8"),
        (b"id,id\n", "two columns are named 'id'"),
        (b"id,name\n1,x\n", "the table has no column 'fuel'"),
    ],
)
def test_broken_tables_store_nothing(
    work: Work, data: bytes, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that is wrong as a whole is refused before anything is sent."""
    table = work.folder / "broken.csv"
    table.write_bytes(data)
    assert cli.run(work.command(table)) == 1
    assert expected in capsys.readouterr().err


def test_the_table_is_never_overwritten(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of refused rows cannot be the table."""
    table = work.table("g", 1, bad={1: {"fuel": "Steam"}})
    data = table.read_bytes()
    assert cli.run([*work.command(table), "--refused", str(table)]) == 1
    assert "is the table itself" in capsys.readouterr().err
    assert table.read_bytes() == data
