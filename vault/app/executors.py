"""Who proves the parts of a large bundle: this process, others beside it, or a cluster of them.

A pool is made when the first part comes and closed with the vault. Processes are started anew and
never forked: a fork beside gRPC's threads can stop for ever. A pool that lost a worker is given
up, and what it had not answered goes to a fresh one, once; when that is lost too, or when no part
was done for minutes, the caller is told that the workers fail. What a part itself raises is passed
on as it is and never tried again.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from concurrent.futures.process import ProcessPoolExecutor
from concurrent.futures.thread import ThreadPoolExecutor
from typing import Any, Final

from vault.app.dask_pool import open_cluster
from vault.app.workers import Raised, Work, run, start_process
from vault.errors import UnavailableError, VaultError
from vault.proving import ExecutorKind, ProvingConfig

STALLED_SECONDS: Final = 300.0
"""When a pool answered nothing for so long, it is given up. A part takes about a second."""
REOPEN_SECONDS: Final = 15.0
"""For so long nobody tries again to open a pool that could not be opened."""
_ATTEMPTS: Final = 2

log = logging.getLogger(__name__)


def open_executor(config: ProvingConfig) -> Executor | None:
    """The executor that the settings name, without starting it; None: prove in this process."""
    match config.kind:
        case ExecutorKind.INLINE:
            return None
        case ExecutorKind.PROCESSES:
            return RenewedPool(lambda: open_processes(config.count()))
        case ExecutorKind.DASK:
            return RenewedPool(lambda: open_cluster(config))


def open_processes(count: int) -> Executor:
    """A pool of fresh processes that end with this one, however it ends."""
    return ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=start_process
    )


class RenewedPool(Executor):
    """An executor over a pool that is made when needed, and made anew when it broke.

    `open_pool` raises UnavailableError when there is no pool to be had; the futures then do.
    """

    def __init__(
        self, open_pool: Callable[[], Executor], *, stalled_after: float = STALLED_SECONDS
    ) -> None:
        self._open_pool = open_pool
        self._stalled_after = stalled_after
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._pool: Executor | None = None
        self._unopened: tuple[float, VaultError] | None = None
        self._pending: set[Future[Any]] = set()
        self._answered = time.monotonic()
        self._closed = False
        # Second attempts are made here: a broken pool tells of it in threads of its own, in which
        # another pool can be neither opened nor asked.
        self._renewing = ThreadPoolExecutor(1, thread_name_prefix="renew-pool")
        self._watch: threading.Timer | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have `fn(*args)` run by a worker; both must be picklable, by name and by value.

        The future raises what `fn` raises, or UnavailableError when the workers fail.
        """
        if kwargs:
            raise TypeError("a part takes positional arguments only")
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the executor is closed")
            if not self._pending:
                self._answered = time.monotonic()
            self._pending.add(future)
            self._keep_watch()
        self._attempt(future, Work(fn, args), 1)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more, and close the pool after what is under way.

        With `cancel_futures` what is not answered yet raises UnavailableError at once.
        """
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            pending = list(self._pending) if cancel_futures else []
            if self._watch is not None:
                self._watch.cancel()
        for future in pending:
            self._finish(future, _stopping())
        self._renewing.shutdown(wait=wait, cancel_futures=cancel_futures)
        if pool is not None:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    # --- one part -------------------------------------------------------------------------------

    def _attempt(self, future: Future[Any], work: Work, attempt: int) -> None:
        pool: Executor | None = None
        try:
            pool = self._current()
            inner = pool.submit(run, work)
        except VaultError as error:
            self._finish(future, error)
        except (BrokenExecutor, RuntimeError, OSError) as error:
            # A pool that broke, or was given up, between two calls says so here.
            self._lost(future, work, attempt, pool, error)
        except Exception as error:
            # A bug, such as a part that cannot be pickled; nobody sees what this thread raises.
            self._finish(future, error)
        else:
            future.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
            inner.add_done_callback(lambda done: self._answer(future, work, attempt, pool, done))

    def _answer(
        self,
        future: Future[Any],
        work: Work,
        attempt: int,
        pool: Executor,
        done: Future[Any],
    ) -> None:
        self._answered = time.monotonic()
        error = CancelledError() if done.cancelled() else done.exception()
        if error is None:
            result = done.result()
            if isinstance(result, Raised):
                self._finish(future, result.error)
            else:
                self._finish(future, None, result)
        elif _is_loss(error):
            self._lost(future, work, attempt, pool, error)
        else:
            self._finish(future, error)

    def _lost(
        self,
        future: Future[Any],
        work: Work,
        attempt: int,
        pool: Executor | None,
        error: BaseException,
    ) -> None:
        if future.cancelled():
            self._finish(future, error)
            return
        if pool is not None:
            self._give_up(pool, error)
        if attempt >= _ATTEMPTS:
            self._finish(future, _failing())
            return
        try:
            self._renewing.submit(self._attempt, future, work, attempt + 1)
        except RuntimeError:
            self._finish(future, _failing())

    def _finish(
        self, future: Future[Any], error: BaseException | None, result: object = None
    ) -> None:
        with self._lock:
            # An answer, a stall and the end of the vault may come at once; the first one counts.
            if future not in self._pending:
                return
            self._pending.discard(future)
        if not future.set_running_or_notify_cancel():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    # --- the pool -------------------------------------------------------------------------------

    def _current(self) -> Executor:
        # `_lock` is never held while a pool is asked: a breaking pool calls back with its own
        # lock held.
        with self._opening:
            pool = self._pool  # read once: another thread may give it up
            if pool is not None:
                return pool
            if self._unopened is not None and time.monotonic() < self._unopened[0]:
                raise self._unopened[1]
            try:
                pool = self._open_pool()
            except VaultError as error:
                # Hundreds of parts may wait, and each would wait for a connection of its own.
                self._unopened = (time.monotonic() + REOPEN_SECONDS, error)
                raise
            with self._lock:
                if not self._closed:
                    self._pool = pool
                    return pool
        pool.shutdown(wait=False)
        raise _stopping()

    def _give_up(self, pool: Executor, error: BaseException) -> None:
        with self._lock:
            if self._pool is not pool:
                return
            self._pool = None
        # The type says enough: a text could quote what the pool was given.
        log.error("lost the workers that prove (%s); starting others", type(error).__name__)
        self._close_later(pool)

    def _close_later(self, pool: Executor) -> None:
        try:
            self._renewing.submit(pool.shutdown, wait=False)
        except RuntimeError:
            pool.shutdown(wait=False)

    def _keep_watch(self) -> None:
        """With the lock held: look again later whether anything was answered."""
        if self._watch is None and not self._closed:
            self._watch = threading.Timer(self._stalled_after / 4, self._look)
            self._watch.daemon = True
            self._watch.start()

    def _look(self) -> None:
        with self._lock:
            self._watch = None
            stalled, pool = list[Future[Any]](), self._pool
            if time.monotonic() - self._answered > self._stalled_after:
                stalled = list(self._pending)
            elif self._pending:
                self._keep_watch()
        if stalled:
            if pool is not None:
                self._give_up(pool, TimeoutError())
            for future in stalled:
                self._finish(future, _failing())


def _is_loss(error: BaseException) -> bool:
    # A cluster's own exceptions are known by where they come from: the library is not a need of
    # the vault.
    kind = type(error)
    return isinstance(error, BrokenExecutor | CancelledError) or (
        kind.__module__.split(".")[0] == "distributed"
    )


def _stopping() -> UnavailableError:
    return UnavailableError("the vault is stopping; ask again later", reason="STOPPING")


def _failing() -> UnavailableError:
    return UnavailableError(
        "the workers that prove keep failing; the vault's log names the error. Memory is a "
        "common cause: lower workers under [proving]",
        reason="PROVING_WORKERS",
    )
