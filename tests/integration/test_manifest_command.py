"""Manifests with real processes: signed, registered, proven over, replaced; and what is refused."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.cluster import VAULT, Cluster
from support.crossproof import run as crossproof
from support.plants import AUTHORED, MAPPING, SCHEMA, csv_bytes, plant
from support.sites import make_two_sites

from proofs.canonical import encode_base64
from proofs.envelope import key_id
from vault import cli
from vault.identity import Identity

SPV, PERIOD = "Harbour Hydro 海港水电", "2018-01-01..2018-12-31"


class Work:
    """A custodian with 130 plants in a vault, and a folder for its files."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.identity = cluster.sites.folder("cn", "custodian", "bank")

    def run(self, *arguments: str) -> int:
        return cli.run([*arguments, "--as", str(self.identity)])

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def sign(self, name: str, *more: str, select: str = "all") -> int:
        return self.run(
            *("manifest", "sign", "--spv", SPV, "--period", PERIOD, "--schema", SCHEMA.name),
            *("--attribute", "capacity", "--select", select, "--yes", "-o", self.path(name), *more),
        )

    def prove(self, manifest: str, name: str) -> int:
        return self.run(
            *("prove", "--manifest", self.path(manifest), "--fact", "sum(capacity) >= 10 GW"),
            *("--fact", "each capacity in 1..1000 MW", "--audience", "Fund", "--purpose", "Test"),
            *("--basis", "contract", "-o", self.path(name)),
        )

    def listed(self, capsys: pytest.CaptureFixture[str]) -> list[tuple[int, int, bool]]:
        """Serial, count and standing of what is registered."""
        capsys.readouterr()
        assert self.run("manifest", "list", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        return [(each["serial"], each["count"], each["newest"]) for each in found]

    def database(self) -> Path:
        return self.cluster.sites.cn.folder / "vault" / "catalog.db"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Both sites' processes, and 130 plants in the vault."""
    folder = tmp_path_factory.mktemp("plants")
    with Cluster(make_two_sites(tmp_path_factory.mktemp("sites"))) as running:
        running.start()
        work = Work(running, folder)
        (folder / "mapping.toml").write_text(MAPPING)
        (folder / "schema.json").write_bytes(AUTHORED)
        rows = [plant(number, id=f"{number:03d}") for number in range(130)]
        (folder / "plants.csv").write_bytes(csv_bytes(rows))
        assert work.run("schema", "add", work.path("schema.json")) == 0
        table = ("import", work.path("plants.csv"), "--schema", SCHEMA.name)
        assert work.run(*table, "--mapping", work.path("mapping.toml"), "--json") == 0
        yield running


@pytest.fixture
def work(cluster: Cluster, tmp_path: Path) -> Iterator[Work]:
    """The custodian with an empty register and an empty journal."""
    found = Work(cluster, tmp_path)
    yield found
    forget(found)
    for path in (found.identity / "manifests").glob("*.journal"):
        path.unlink()


def forget(work: Work) -> None:
    """What a vault does that was put back from an old copy."""
    with sqlite3.connect(work.database(), timeout=30) as connection:
        connection.execute("DELETE FROM manifests")


def trust_file(work: Work, prefix: str = "cn-plant-*") -> Path:
    """A verifier's trust file that pins the custodian for assets that begin so."""
    key = Identity.load(work.identity).signing_key.public_key().public_bytes_raw()
    (work.folder / "schema.json").write_bytes(SCHEMA.encode())
    code, _, said = crossproof(
        work.folder,
        *("trust", "add", "trust.toml", "--custodian", "--key", encode_base64(key)),
        *("--fingerprint", key_id(key), "--name-en", "Bank", "--name-zh", "银行"),
        *("--valid-from", "2020-01-01", "--valid-until", "2040-01-01"),
        *("--schema", "schema.json", "--asset", prefix),
    )
    assert code == 0, said
    return work.folder / "trust.toml"


def test_a_portfolio_is_signed_proven_and_verified(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """130 documents: a table is shown, the bundle carries the manifest, a stranger verifies."""
    trust = trust_file(work)
    assert work.sign("a.manifest.json", "--trust", str(trust)) == 0
    shown = capsys.readouterr().out
    for text in (SPV, PERIOD, "Serial 序号", "Documents 文件数   130", "2018-06-01", "capacity"):
        assert text in shown
    assert work.listed(capsys) == [(1, 130, True)]

    assert work.prove("a.manifest.json", "a.proof") == 0
    assert (work.folder / "a.proof").stat().st_size < 200 * 130 + 8000
    verify = ("verify", "a.proof", "--trust", trust.name, "--audience", "Fund")
    code, out, said = crossproof(work.folder, *verify)
    assert code == 0, said
    assert "VERIFIED" in out + said
    assert f"all of {SPV}, {PERIOD}" in out + said


def test_show_says_what_was_signed(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, with its rows, and for machines; a changed file is refused."""
    assert work.sign("a.manifest.json", select="asset=cn-plant-00*") == 0
    capsys.readouterr()
    assert work.run("manifest", "show", work.path("a.manifest.json"), "--rows") == 0
    assert "cn-plant-009" in capsys.readouterr().out
    assert work.run("manifest", "show", work.path("a.manifest.json"), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["spv"], shown["serial"], shown["count"]) == (SPV, 1, 10)
    assert {row["asset"] for row in shown["rows"]} == {f"cn-plant-00{n}" for n in range(10)}
    assert shown["rows"][0]["present"] == ["capacity"]

    path = work.folder / "a.manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"rows":"', b'"rows":"AAAA'))
    assert work.run("manifest", "show", str(path)) == 1
    assert "the rows are not those of the manifest" in capsys.readouterr().err


def test_a_later_manifest_replaces_the_earlier(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the next serial; over the earlier one nothing is proven any more."""
    assert work.sign("a.manifest.json") == 0
    assert work.sign("b.manifest.json", select="asset=cn-plant-0*") == 0
    assert work.listed(capsys) == [(2, 100, True), (1, 130, False)]
    assert work.prove("a.manifest.json", "a.proof") == 1
    assert "serial 1" in capsys.readouterr().err
    assert not (work.folder / "a.proof").exists()


def test_a_vault_that_forgot_gets_no_second_list_under_a_serial(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """The machine that signs remembers: the next serial is higher than what it ever signed."""
    assert work.sign("a.manifest.json") == 0
    forget(work)
    assert work.prove("a.manifest.json", "a.proof") == 1
    assert "manifest register" in capsys.readouterr().err
    assert work.sign("b.manifest.json", select="asset=cn-plant-0*") == 0
    assert work.listed(capsys) == [(2, 100, True)]
    assert work.run("manifest", "register", work.path("a.manifest.json")) == 1
    assert "serial 2" in capsys.readouterr().err


def test_a_machine_that_forgot_asks_the_vault(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another machine of the custodian may have signed the last one."""
    assert work.sign("a.manifest.json") == 0
    (work.identity / "manifests" / "serials.journal").unlink()
    assert work.sign("b.manifest.json") == 0
    assert work.listed(capsys) == [(2, 130, True), (1, 130, False)]


def test_a_file_is_never_written_over(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is signed either: the serial stays free."""
    kept = work.folder / "a.manifest.json"
    kept.write_text("kept")
    assert work.sign("a.manifest.json") == 1
    assert "never written over" in capsys.readouterr().err
    assert work.sign("a.json") == 1
    assert kept.read_text() == "kept"
    assert work.listed(capsys) == []
    assert work.sign("b.manifest.json") == 0
    assert work.listed(capsys) == [(1, 130, True)]


def test_assets_out_of_scope_are_not_signed(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    """A verifier who pinned the custodian for other assets would refuse every bundle over it."""
    trust = trust_file(work, "cn-plant-00*")
    assert work.sign("a.manifest.json", "--trust", str(trust)) == 1
    assert "not trusted for asset cn-plant-" in capsys.readouterr().err
    assert work.sign("a.manifest.json", "--trust", str(trust), select="asset=cn-plant-00*") == 0


def test_without_the_vault_a_file_is_written_and_registered_later(
    work: Work, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes may be handed in again, and again."""
    assert work.sign("a.manifest.json") == 0
    forget(work)
    for _ in range(2):
        assert work.run("manifest", "register", work.path("a.manifest.json")) == 0
    assert work.listed(capsys) == [(1, 130, True)]


def test_others_sign_and_register_nothing(
    work: Work, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """An auditor sees the register; another custodian hands no list of this one's in."""
    assert work.sign("a.manifest.json") == 0
    work.identity = cluster.sites.folder("cn", "auditor", "audit")
    assert work.listed(capsys) == [(1, 130, True)]
    assert work.sign("b.manifest.json") == 1
    assert "only a custodian" in capsys.readouterr().err
    work.identity = cluster.sites.folder("cn", "custodian", "trust")
    assert work.listed(capsys) == []
    assert work.run("manifest", "register", work.path("a.manifest.json")) == 1
    assert "not by you" in capsys.readouterr().err
    work.identity = cluster.sites.folder("cn", "custodian", "bank")


def test_no_attribute_or_selection_by_chance(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which documents, and which attributes, is said and not guessed."""
    base = ("manifest", "sign", "--spv", SPV, "--period", PERIOD, "--schema", SCHEMA.name)
    end = ("--yes", "-o", work.path("a.manifest.json"))
    assert work.run(*base, "--attribute", "capacity", *end) == 2
    assert "--select all" in capsys.readouterr().err
    assert work.run(*base, "--select", "all", *end) == 2
    assert work.run(*base, "--select", "all", "--attribute", "nothing", *end) == 1
    assert "no attribute nothing" in capsys.readouterr().err
    for period in ("2018", "2018-12-31..2018-01-01", "2018-02-30..2018-03-01"):
        changed = [period if word == PERIOD else word for word in base]
        assert work.run(*changed, "--select", "all", "--attribute", "capacity", *end) == 2
    assert work.listed(capsys) == []


def test_a_proof_outlives_a_worker_of_the_vault(
    work: Work, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """One is killed while it proves, and one between two proofs: others take their places."""
    assert work.sign("a.manifest.json") == 0
    cluster.stop(VAULT)
    cluster.start([VAULT])
    vault, end = cluster.pid(VAULT), time.monotonic() + 60
    with ThreadPoolExecutor(1) as background:
        proving = background.submit(work.prove, "a.manifest.json", "a.proof")
        while not provers(vault):
            assert time.monotonic() < end
            time.sleep(0.01)
        os.kill(provers(vault)[0], signal.SIGKILL)
        assert proving.result(60) == 0
    os.kill(provers(vault)[0], signal.SIGKILL)
    assert work.prove("a.manifest.json", "b.proof") == 0
    assert cluster.log(VAULT).count("lost the workers that prove") == 2
    trust = trust_file(work)
    for name in ("a.proof", "b.proof"):
        verify = ("verify", name, "--trust", trust.name, "--audience", "Fund")
        assert crossproof(work.folder, *verify)[0] == 0


def test_the_vault_ends_with_its_workers(work: Work, cluster: Cluster) -> None:
    """After a proof by processes of its own, an orderly end takes all of them along."""
    assert work.sign("a.manifest.json") == 0
    assert work.prove("a.manifest.json", "a.proof") == 0
    vault = cluster.pid(VAULT)
    workers = children(vault)
    assert workers
    assert cluster.stop(VAULT) == 0
    end = time.monotonic() + 20
    while any(is_alive(each) for each in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert [each for each in workers if is_alive(each)] == []
    cluster.start([VAULT])


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended may wait for somebody to take note."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def provers(vault: int) -> list[int]:
    """The processes of a vault's pool; beside them there is one that only keeps count."""
    return [
        each
        for each in children(vault)
        if is_alive(each) and b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()
    ]


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found
