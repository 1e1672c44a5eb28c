"""Talking to a Kubo daemon: credentials, connections, retries, and errors that say what to do.

Only `ipfshttpclient` speaks to the daemon, by `Client(...)` directly: its `connect()` refuses
every daemon of this decade by version. Without a credentials file nothing is sent: an RPC API
that anyone on the machine can use lets anyone unpin every document. What is transient (refused,
reset, timed out) is tried again a few times; everything else is an error at once.
"""

from __future__ import annotations

import queue
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from ipfshttpclient import Client, exceptions

from vault.errors import InvalidInputError, NotAllowedError, UnavailableError, VaultError
from vault.files import read_private

DEFAULT_TIMEOUT: Final = 30.0
"""Seconds without a byte from the daemon."""
ATTEMPTS: Final = 4
_FIRST_PAUSE: Final = 0.1
_PAUSE_FACTOR: Final = 3

# The library passes an argument to urllib3 that only urllib3 3 will refuse, and 3 is excluded.
warnings.filterwarnings("ignore", "The 'strict' parameter", FutureWarning, "urllib3")

_TRANSIENT: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ProtocolError,
    OSError,  # what the library lets through when a connection dies in the middle of an answer
)
# The library asserts what an answer looks like, and operations take it apart.
_MISSHAPEN: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
_T = TypeVar("_T")


class DaemonError(Exception):
    """The daemon's own refusal, as it words it; every caller turns it into one of ours."""


def read_credentials(path: Path) -> tuple[str, str]:
    """User and secret of the RPC API, from a file of mode 0600 with one line `user:secret`.

    Raises InvalidInputError for a file that others can read or that has another form,
    NotFoundError when there is none.
    """
    try:
        text = read_private(path).decode("ascii").removesuffix("\n")
    except UnicodeDecodeError:
        text = ""
    user, _, secret = text.partition(":")
    if not (user and secret) or not text.isprintable():
        raise InvalidInputError(f"{path}: one line of the form user:secret is expected")
    return user, secret


class KuboRpc:
    """One connection to a daemon's RPC API; for one thread at a time."""

    def __init__(self, address: str, credentials: Path, *, timeout: float = DEFAULT_TIMEOUT):
        """Prepare a connection; nothing is sent yet.

        `address` is a multiaddress such as `/ip4/127.0.0.1/tcp/5001`. Raises InvalidInputError
        for another address, and what `read_credentials` raises.
        """
        self.name = f"the Kubo node at {address}"
        auth = read_credentials(credentials)
        try:
            self.client: Any = Client(address, session=True, auth=auth, timeout=timeout)
        except (exceptions.AddressError, ValueError) as error:
            raise InvalidInputError(f"{address} is not the address of an RPC API") from error
        # Neither a proxy nor a netrc file of the environment comes between us and the daemon.
        self.client._client._session.trust_env = False

    def call(self, what: str, operation: Callable[[Any], _T]) -> _T:
        """Run `operation(client)`, again where that may help.

        `what` says in errors what was wanted and names the CID. Raises UnavailableError when
        the daemon does not answer as one does, NotAllowedError when it refuses the credentials,
        DaemonError with its words when it answers with an error.
        """
        pause = _FIRST_PAUSE
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(pause)
                pause *= _PAUSE_FACTOR
            try:
                return operation(self.client)
            except _TRANSIENT as error:
                last = error
            except exceptions.ErrorResponse as error:
                raise DaemonError(str(error)) from error
            except exceptions.StatusError as error:
                raise self._refusal(what, error) from error
            except (exceptions.Error, *_MISSHAPEN) as error:
                raise UnavailableError(
                    f"{what}: {self.name} does not answer as a Kubo daemon does"
                ) from error
        raise UnavailableError(
            f"{what}: {self.name} does not answer after {ATTEMPTS} attempts ({_brief(last)})"
        ) from last

    def command(self, what: str, path: str, *arguments: str, **options: str) -> Any:
        """Run an RPC command that the library has no working method for; its JSON answers.

        `what` as for `call`, and the same errors.
        """
        return self.call(
            what,
            lambda client: client._client.request(path, arguments, opts=options, decoder="json"),
        )

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _refusal(self, what: str, error: exceptions.StatusError) -> VaultError:
        response = getattr(error.original, "response", None)
        status = getattr(response, "status_code", None)
        if status in (401, 403):
            return NotAllowedError(
                f"{what}: {self.name} refuses the credentials; compare the credentials file with "
                "API.Authorizations of its configuration",
                reason="KUBO_CREDENTIALS",
            )
        return UnavailableError(f"{what}: {self.name} answers with status {status}")


class KuboConnections:
    """Connections to one daemon, as many as threads use at once."""

    def __init__(self, address: str, credentials: Path, *, timeout: float = DEFAULT_TIMEOUT):
        """Make the first connection, so that a wrong address or file is refused here."""
        self._make: Callable[[], KuboRpc] = lambda: KuboRpc(address, credentials, timeout=timeout)
        self._idle: queue.SimpleQueue[KuboRpc] = queue.SimpleQueue()
        first = self._make()
        self.name = first.name
        self._idle.put(first)

    @contextmanager
    def borrow(self) -> Iterator[KuboRpc]:
        """A connection that no other thread uses meanwhile."""
        try:
            rpc = self._idle.get_nowait()
        except queue.Empty:
            rpc = self._make()
        try:
            yield rpc
        finally:
            self._idle.put(rpc)

    def close(self) -> None:
        """Close those that are idle."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def _brief(error: BaseException) -> str:
    """The kind of a failure; the library's texts hold URLs and addresses of objects."""
    return type(error).__name__
