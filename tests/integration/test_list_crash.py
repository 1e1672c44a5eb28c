"""A vault that dies while it proves about many documents: what is left is all of it or nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.cluster import VAULT, Cluster
from support.plants import AUTHORED, MAPPING, SCHEMA, csv_bytes, plant
from support.sites import make_two_sites

from proofs.ids import digest_of
from vault import cli
from vault.client import requests, sets
from vault.client.consent_list import Wish
from vault.client.documents import SERVICE as DOCUMENTS
from vault.client.own_list_proof import prove_list
from vault.client.session import at_vault
from vault.errors import VaultError
from vault.pki import now_utc

COUNT = 80
FACTS = ["sum(capacity) >= 100 MW", "each capacity in 1..9000 MW"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Both sites' processes, and 80 plants of the bank's."""
    folder = tmp_path_factory.mktemp("crash")
    with Cluster(make_two_sites(tmp_path_factory.mktemp("sites"))) as made:
        made.start()
        bank = ("--as", str(made.sites.folder("cn", "custodian", "bank")))
        (folder / "plants.schema.json").write_bytes(AUTHORED)
        (folder / "plants.mapping.toml").write_text(MAPPING)
        rows = [plant(number, capacity=str(100 + number)) for number in range(COUNT)]
        (folder / "plants.csv").write_bytes(csv_bytes(rows))
        assert cli.run(["schema", "add", str(folder / "plants.schema.json"), *bank]) == 0
        table = ["import", str(folder / "plants.csv"), "--schema", SCHEMA.name]
        assert cli.run([*table, "--mapping", str(folder / "plants.mapping.toml"), *bank]) == 0
        yield made


def prove(cluster: Cluster, progress: Callable[[int, int], None]) -> bytes:
    folder = cluster.sites.folder("cn", "custodian", "bank")
    with at_vault(folder, requests.SERVICE, sets.SERVICE, DOCUMENTS) as session:
        _, bundle = prove_list(
            session,
            SCHEMA.name,
            Wish(("all",)),
            FACTS,
            audience="Harbour Fund",
            purpose="Quarterly report",
            legal_basis="PIPL Art. 38",
            nonce=None,
            life=timedelta(days=5),
            now=now_utc(),
            progress=progress,
        )
    return bundle


def left(cluster: Cluster) -> list[str]:
    """Digests of the bundles that are there, each with a record and a count for every document."""
    path = next(cluster.sites.cn.folder.rglob("catalog.db"))
    with sqlite3.connect(path) as database:
        bundles = [row[0] for row in database.execute("SELECT bundle FROM proof_requests")]
        issued = "SELECT artefact, document, version FROM records WHERE event = 'bundle.issued'"
        records = list(database.execute(issued))
        counts = [row[0] for row in database.execute("SELECT bundles_issued FROM versions")]
        numbers = [row[0] for row in database.execute("SELECT number FROM records")]
    made = [digest_of(each) for each in bundles if each is not None]
    assert len(records) == len(set(records)) == len(made) * COUNT
    assert {artefact for artefact, _, _ in records} == set(made)
    assert counts == [len(made)] * COUNT
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    return made


def children(pid: int) -> list[int]:
    """The workers that a process has started."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            stat = (each / "stat").read_text()
            worker = b"spawn_main" in (each / "cmdline").read_bytes()
        except OSError:
            continue
        if worker and int(stat.rpartition(")")[2].split()[1]) == pid:
            found.append(int(each.name))
    return found


@pytest.mark.parametrize("moment", ["first part", "last part", "a little later", "later still"])
def test_a_killed_vault_leaves_a_bundle_with_its_records_or_none(
    cluster: Cluster, moment: str
) -> None:
    """Before, between and behind proving, checking and writing; its workers end with it."""
    cluster.start([VAULT])
    before = left(cluster)
    workers: list[int] = []

    def progress(done: int, total: int) -> None:
        if done < (1 if moment == "first part" else total) or VAULT not in cluster.running:
            return
        workers.extend(children(cluster.pid(VAULT)))
        time.sleep({"a little later": 0.03, "later still": 0.15}.get(moment, 0))
        cluster.kill(VAULT)

    try:
        bundle = prove(cluster, progress)
    except VaultError:
        bundle = b""
    cluster.start([VAULT])
    made = left(cluster)
    assert len(made) - len(before) in (0, 1)
    if bundle:
        assert digest_of(bundle) in made
    assert workers
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{each}").exists() for each in workers):
        assert time.monotonic() < deadline, "a worker outlived its vault"
        time.sleep(0.05)


def test_a_killed_worker_costs_nothing(cluster: Cluster) -> None:
    """Its part is proven by another; the bundle is there once."""
    cluster.start([VAULT])
    before = left(cluster)
    killed: list[int] = []

    def progress(done: int, total: int) -> None:
        if done >= 1 and not killed:
            killed.append(children(cluster.pid(VAULT))[-1])
            os.kill(killed[0], signal.SIGKILL)

    bundle = prove(cluster, progress)
    assert killed
    assert left(cluster) == [*before, digest_of(bundle)]


def test_a_vault_that_is_told_to_stop_ends_soon(cluster: Cluster) -> None:
    """Though it proves for somebody; that one is told, and nothing is half there."""
    cluster.start([VAULT])
    before = left(cluster)
    codes: list[int | None] = []

    def progress(done: int, total: int) -> None:
        if done >= 1 and VAULT in cluster.running:
            codes.append(cluster.stop(VAULT))

    try:
        bundle = prove(cluster, progress)
    except VaultError:
        bundle = b""
    cluster.start([VAULT])
    made = left(cluster)
    assert codes == [0]
    assert made == [*before, *([digest_of(bundle)] if bundle else made[len(before) :])]
