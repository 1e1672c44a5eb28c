"""Pools that prove: what is passed on, what is tried again, and how they begin and end."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from support import jobs

from proofs import generators
from proofs.errors import CannotProveError
from vault.app.executors import RenewedPool, open_executor, open_processes
from vault.app.workers import TABLES, Work, run
from vault.errors import UnavailableError
from vault.proving import ExecutorKind, ProvingConfig


@pytest.fixture(autouse=True)
def _no_tables_left() -> Iterator[None]:
    """Pools that work in this very process build tables in it."""
    yield
    generators.forget_tables(TABLES)


@pytest.fixture
def pool() -> Iterator[Executor]:
    executor = open_executor(ProvingConfig(workers=1))
    assert executor is not None
    yield executor
    executor.shutdown(wait=True)


class Scripted(Executor):
    """A pool in this thread that breaks when it is told to, before or after taking a call."""

    def __init__(self, breaks: int = 0, refuses: int = 0) -> None:
        self.breaks, self.refuses = breaks, refuses
        self.taken = 0
        self.closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.refuses:
            self.refuses -= 1
            raise BrokenProcessPool("was broken before")
        self.taken += 1
        future: Future[Any] = Future()
        if self.breaks:
            self.breaks -= 1
            future.set_exception(BrokenProcessPool("a worker died"))
            return future
        try:
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed = True


class Silent(Executor):
    """A pool that takes calls and never answers."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.futures.append(Future())
        return self.futures[-1]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed.set()


def over(*pools: Executor, **options: float) -> tuple[RenewedPool, list[Executor]]:
    """A renewed pool that opens these, one after the other; and those not opened yet."""
    left = list(pools)
    return RenewedPool(lambda: left.pop(0), **options), left


# --- settings to executors ----------------------------------------------------------------------


def test_inline_is_no_executor() -> None:
    """Work is then done by the caller itself."""
    assert open_executor(ProvingConfig(kind=ExecutorKind.INLINE)) is None


def test_no_process_is_started_before_the_first_part() -> None:
    """A vault that proves nothing large pays for nothing."""
    before = len(multiprocessing.active_children())
    executor = open_executor(ProvingConfig())
    assert executor is not None
    assert before == len(multiprocessing.active_children())
    executor.shutdown()


# --- real processes -----------------------------------------------------------------------------


def test_parts_run_in_other_processes_with_tables(pool: Executor) -> None:
    """Not here, in a process that keeps tables of generators, and answers in order of asking."""
    assert list(pool.map(jobs.square, range(5))) == [0, 1, 4, 9, 16]
    assert pool.submit(jobs.process).result() != os.getpid()
    assert pool.submit(jobs.has_tables).result() is True


def test_refusal_of_a_part_is_passed_on(pool: Executor) -> None:
    """As it was raised, and the pool stays."""
    first = pool.submit(jobs.process).result()
    with pytest.raises(CannotProveError, match=r"^the sum is too small$"):
        pool.submit(jobs.refuse, "the sum is too small").result()
    assert pool.submit(jobs.process).result() == first


def test_part_that_cannot_be_sent_is_an_error(pool: Executor) -> None:
    """A bug is seen as one, not as a pool that fails."""
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pool.submit(lambda: None).result()


def test_killed_worker_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker dies with parts waiting behind it: all are answered, by fresh processes."""
    executor = open_executor(ProvingConfig(workers=2))
    assert executor is not None
    with executor, caplog.at_level(logging.ERROR):
        futures = [executor.submit(jobs.die_once, tmp_path / "mark", n) for n in range(20)]
        assert [each.result(60) for each in futures] == [n * n for n in range(20)]
        assert executor.submit(jobs.square, 5).result(60) == 25
    assert "lost the workers that prove" in caplog.text


def test_part_that_kills_every_worker_ends_as_an_error(pool: Executor) -> None:
    """Two pools are lost over it, not more; the next part is proven again."""
    with pytest.raises(UnavailableError, match="keep failing") as caught:
        pool.submit(jobs.die, 1).result(60)
    assert caught.value.reason == "PROVING_WORKERS"
    assert pool.submit(jobs.square, 3).result(60) == 9


def test_workers_end_with_a_vault_that_was_killed(tmp_path: Path) -> None:
    """They hold values in memory; a killed vault closes no pool."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    vault = context.Process(target=_hold_a_pool, args=(sender,))
    vault.start()
    worker = receiver.recv()
    assert vault.pid is not None
    os.kill(vault.pid, signal.SIGKILL)
    vault.join()
    for _ in range(500):
        if not _alive(worker):
            break
        time.sleep(0.02)
    assert not _alive(worker)


def _hold_a_pool(sender: Any) -> None:
    pool = open_processes(1)
    sender.send(pool.submit(jobs.process).result())
    time.sleep(60)


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# --- giving up ----------------------------------------------------------------------------------


def test_pool_that_broke_before_a_call_is_made_anew() -> None:
    """Between two bundles a worker may die with nobody waiting."""
    broken, fresh = Scripted(refuses=1), Scripted()
    executor, left = over(broken, fresh)
    with executor:
        assert executor.submit(jobs.square, 4).result(10) == 16
    assert (left, broken.taken, fresh.taken, broken.closed) == ([], 0, 1, True)


def test_second_loss_is_an_error_and_the_third_pool_serves_others() -> None:
    """One retry each, and what comes later starts from its own first."""
    executor, left = over(Scripted(breaks=1), Scripted(breaks=1), Scripted())
    with executor:
        with pytest.raises(UnavailableError):
            executor.submit(jobs.square, 4).result(10)
        assert len(left) == 1
        assert executor.submit(jobs.square, 4).result(10) == 16
    assert left == []


def test_pool_that_cannot_be_opened_is_not_tried_for_every_part() -> None:
    """Hundreds of parts behind one dead scheduler fail together."""
    tries = []

    def refuse() -> Executor:
        tries.append(1)
        raise UnavailableError("the scheduler does not answer")

    with RenewedPool(refuse) as executor:
        futures = [executor.submit(jobs.square, n) for n in range(50)]
        errors = [each.exception(10) for each in futures]
    assert [type(each) for each in errors] == [UnavailableError] * 50
    assert len(tries) == 1


def test_silent_pool_is_given_up() -> None:
    """Parts that nobody answers do not hold a call for ever; the next pool serves the next."""
    generators.use_tables(TABLES)  # or the second pool, in this process, would build them first
    silent = Silent()
    executor, _ = over(silent, Scripted(), stalled_after=0.5)
    with executor:
        with pytest.raises(UnavailableError, match="keep failing"):
            executor.submit(jobs.square, 4).result(20)
        assert silent.closed.wait(20)
        assert executor.submit(jobs.square, 4).result(20) == 16
    silent.futures[0].set_result(None)  # too late, and taken by nobody


def test_cancelled_part_is_cancelled_at_the_pool() -> None:
    """And is no sign that the pool broke."""
    silent = Silent()
    executor, left = over(silent, Scripted())
    future = executor.submit(jobs.square, 4)
    assert future.cancel()
    assert silent.futures[0].cancelled()
    assert wait([future], timeout=10).not_done == set()
    assert len(left) == 1
    executor.shutdown()


# --- the end ------------------------------------------------------------------------------------


def test_end_of_the_vault_answers_what_waits() -> None:
    """By an error at once, and nothing is taken afterwards."""
    executor, _ = over(Silent())
    future = executor.submit(jobs.square, 4)
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(UnavailableError, match="stopping"):
        future.result(10)
    with pytest.raises(RuntimeError):
        executor.submit(jobs.square, 4)


def test_end_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """Without being told to drop it."""
    executor = open_executor(ProvingConfig(workers=1))
    assert executor is not None
    future = executor.submit(jobs.started, tmp_path / "mark", 6)
    executor.shutdown(wait=True)
    assert future.result(0) == 36
    assert multiprocessing.active_children() == []


# --- what is sent -------------------------------------------------------------------------------


def test_work_shows_nothing() -> None:
    """A pool may write the arguments of what failed into its log."""
    assert repr(Work(jobs.refuse, ("4711",))) == "<a part of a proof>"
    sent = pickle.loads(pickle.dumps(Work(jobs.square, (7,))))  # noqa: S301
    assert run(sent) == 49


def test_named_arguments_are_refused() -> None:
    """A cluster would take some of them for itself."""
    executor, _ = over(Scripted())
    with pytest.raises(TypeError):
        executor.submit(jobs.square, number=3)
    executor.shutdown()


def test_other_errors_of_a_pool_are_not_losses() -> None:
    """Only a broken pool is made anew: a refusal of ours would be raised again."""
    first = Scripted()
    executor, left = over(first, Scripted())
    with executor, pytest.raises(CannotProveError):
        executor.submit(jobs.refuse, "no").result(10)
    assert (len(left), issubclass(CannotProveError, BrokenExecutor)) == (1, False)
