"""Parts of a proof on a cluster of real workers over TLS, one of which dies in the middle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from support import jobs
from support.bundles import schema
from support.dask_cluster import DaskCluster, make_tls
from support.portfolio import Portfolio, full

from proofs.errors import CannotProveError
from proofs.prove_list import ListedDocument, prove_selection
from vault.app import dask_pool
from vault.app.executors import RenewedPool, open_executor
from vault.errors import UnavailableError
from vault.proving import ExecutorKind, ProvingConfig

MOMENT = 120.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path, workers=2, tls=make_tls(tmp_path)) as running:
        yield running


def opened(config: ProvingConfig) -> Executor:
    """The executor of these settings."""
    executor = open_executor(config)
    assert executor is not None
    return executor


def pids(mark: Path) -> set[int]:
    """The processes that left a mark."""
    return {int(path.suffix[1:]) for path in mark.parent.glob(f"{mark.name}.*")}


def prove(about: Portfolio, executor: Executor, done: list[int], cluster: DaskCluster) -> bytes:
    """The bundle; when its first part is there, one of the workers dies."""

    def progress(count: int, total: int) -> None:
        done.append(count)
        if count == 1:
            cluster.kill_worker(0)

    return prove_selection(
        request=about.request.data,
        context=about.context,
        schema=schema(),
        documents=[ListedDocument(each.envelope, each.witness) for each in about.documents],
        grant_envelope=about.grant,
        sets={each.name: each for each in about.used},
        executor=executor,
        progress=progress,
    )


def test_a_bundle_verifies_although_a_worker_died(cluster: DaskCluster) -> None:
    """Killed in the middle of a proof about 260 documents: nothing is missing and nothing twice."""
    about, done = full(260), list[int]()
    with opened(cluster.config) as executor:
        bundle = prove(about, executor, done, cluster)
    assert done == list(range(len(done)))
    assert len(done) > 4
    assert cluster.workers[0].wait(MOMENT) == -9
    assert cluster.workers[1].poll() is None
    verified = about.verify(bundle)
    assert verified.selection is not None
    assert verified.selection.count == 260


def test_parts_of_a_worker_that_died_are_done_by_the_other(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    """Both had begun when one was killed; all forty are answered, each with its own answer."""
    mark = tmp_path / "mark"
    with opened(cluster.config) as executor:
        futures = [executor.submit(jobs.started, mark, number) for number in range(40)]
        end = time.monotonic() + MOMENT
        while len(pids(mark)) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        cluster.kill_worker(1)
        assert [each.result(MOMENT) for each in futures] == [n * n for n in range(40)]


def test_workers_keep_tables_and_pass_refusals_on(cluster: DaskCluster) -> None:
    """As in a pool of processes; no log has the text of what was raised, nor what it was about."""
    with opened(cluster.config) as executor:
        assert executor.submit(jobs.has_tables).result(MOMENT) is True
        with pytest.raises(CannotProveError, match=r"^the value is 4711$"):
            executor.submit(jobs.refuse_about, 4711).result(MOMENT)
        with pytest.raises(TypeError):
            executor.submit(jobs.add_one, "4711").result(MOMENT)
    assert "a part raised TypeError at" in cluster.log()
    assert "4711" not in cluster.log()


def test_a_cluster_that_is_gone_is_an_error(
    cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not a call that waits for ever."""
    pool = opened(cluster.config)
    assert isinstance(pool, RenewedPool)
    with pool as executor:
        assert executor.submit(jobs.square, 3).result(MOMENT) == 9
        monkeypatch.setattr(dask_pool, "CONNECT_SECONDS", 3)
        cluster.kill_scheduler()
        with pytest.raises(UnavailableError):
            executor.submit(jobs.square, 4).result(MOMENT)


def test_a_cluster_of_another_authority_is_refused(cluster: DaskCluster, tmp_path: Path) -> None:
    """A vault shows its parts to nobody whom its own cluster's authority does not vouch for."""
    folder = tmp_path / "other"
    folder.mkdir()
    config = ProvingConfig(kind=ExecutorKind.DASK, scheduler=cluster.address, tls=make_tls(folder))
    with opened(config) as executor, pytest.raises(UnavailableError, match="does not answer"):
        executor.submit(jobs.square, 3).result(MOMENT)
    assert "square" not in cluster.log()


def test_a_cluster_without_workers_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in plain on loopback, which needs no certificates."""
    monkeypatch.setattr(dask_pool, "CONNECT_SECONDS", 3)
    with (
        DaskCluster(tmp_path, workers=0, tls=None) as cluster,
        opened(cluster.config) as executor,
        pytest.raises(UnavailableError, match="has no worker"),
    ):
        executor.submit(jobs.square, 3).result(MOMENT)
