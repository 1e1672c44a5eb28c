"""A cluster of `dask.distributed` as an executor; the library is an optional part.

The connection is encrypted and both ends show certificates of the cluster's own authority, but for
a scheduler on this machine's loopback address. What workers answer is unpickled here, and so are
tasks there: whoever the cluster's authority certifies can run code in the vault. Refuses a cluster
that does not answer, or has no worker, within seconds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final

from vault.errors import InvalidInputError, UnavailableError
from vault.proving import ProvingConfig

CONNECT_SECONDS: Final = 15


class Cluster(Executor):
    """The library's executor, with the connection closed at its end, which that leaves open.

    `client` is a `distributed.Client`, in whose package hardly anything has a type.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        # pure=False: else a task is named by a digest of what it holds, in everybody's logs.
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As any executor's; a task whose worker died goes to another one, three times."""
        submitted: Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return submitted

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for what is under way, or have it dropped; then hang up."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close(timeout=CONNECT_SECONDS)


def open_cluster(config: ProvingConfig) -> Executor:
    """An executor over the scheduler that the settings name, with at least one worker there.

    Raises InvalidInputError without the library, UnavailableError when the cluster does not
    answer in time or is not who its certificates should say.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise InvalidInputError(
            "[proving] executor = dask needs the extra: install crossvault[cluster]",
            reason="NO_CLUSTER",
        ) from None
    security = distributed.Security()
    if config.tls is not None:
        security = distributed.Security(
            require_encryption=True,
            tls_ca_file=str(config.tls.authority),
            tls_client_cert=str(config.tls.certificate),
            tls_client_key=str(config.tls.key),
        )
    try:
        client = distributed.Client(
            config.scheduler, security=security, timeout=CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise _unavailable(config, "does not answer", error) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        client.close(timeout=CONNECT_SECONDS)
        raise _unavailable(config, "has no worker", error) from None
    return Cluster(client)


def _unavailable(config: ProvingConfig, what: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"the scheduler {config.scheduler} {what} ({type(error).__name__})",
        reason="PROVING_WORKERS",
    )
