"""Which processes prove the parts of a large bundle, as `[proving]` in `site.toml` says.

A part holds values and blindings of provable attributes. So a cluster is reached over TLS, or on
this machine's own loopback address, and anything else is refused before a connection is tried.
The certificates must come from an authority that vouches for this cluster alone: its scheduler
and workers see what they prove, and what they answer is read as Python objects by the vault.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from vault.errors import InvalidInputError
from vault.toml_table import Table, quoted

MAX_WORKERS: Final = 256


class ExecutorKind(StrEnum):
    """Where parts are proven."""

    PROCESSES = "processes"
    INLINE = "inline"
    DASK = "dask"


@dataclass(frozen=True, slots=True)
class ClusterTls:
    """Files in PEM: the cluster's own authority, and this vault's certificate and key for it."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ProvingConfig:
    """The settings. `workers` is of processes, None for one a processor that this one may use.

    Raises InvalidInputError for a setting that would not hold for this kind of executor, and for
    a scheduler that is neither `tls://` nor on loopback.
    """

    kind: ExecutorKind = ExecutorKind.PROCESSES
    workers: int | None = None
    scheduler: str | None = None
    tls: ClusterTls | None = None

    def __post_init__(self) -> None:
        if self.workers is not None:
            if self.kind is not ExecutorKind.PROCESSES:
                raise _refused("workers", "is for processes; an inline vault has none, a cluster "
                               "brings its own")  # fmt: skip
            if not 1 <= self.workers <= MAX_WORKERS:
                raise _refused("workers", f"must be 1 to {MAX_WORKERS}")
        if self.kind is not ExecutorKind.DASK:
            if self.scheduler is not None or self.tls is not None:
                raise _refused("scheduler", f"is for dask, and the executor is {self.kind}")
            return
        if self.scheduler is None:
            raise _refused("scheduler", "is missing, as in tls://HOST:8786")
        address = _address(self.scheduler)
        if address.scheme == "tls" and self.tls is None:
            raise _refused(
                "scheduler", "of tls:// needs tls_authority, tls_certificate and tls_key (files)"
            )
        if address.scheme == "tcp" and self.tls is not None:
            raise _refused("scheduler", "of tcp:// uses no certificate; write tls://")

    @classmethod
    def read(cls, table: Table, folder: Path) -> ProvingConfig:
        """The settings of a `[proving]` table; files are relative to `folder`."""
        kind = table.optional_text("executor") or ExecutorKind.PROCESSES
        if kind not in tuple(ExecutorKind):
            raise InvalidInputError(
                f"{table.where} executor: must be {', '.join(ExecutorKind)}", field="executor"
            )
        files = [table.optional_text(f"tls_{name}") for name in ("authority", "certificate", "key")]
        given = [folder / each for each in files if each is not None]
        if given and len(given) != len(files):
            raise InvalidInputError(
                f"{table.where}: tls_authority, tls_certificate and tls_key go together",
                field="tls",
            )
        return cls(
            kind=ExecutorKind(kind),
            workers=table.optional_integer("workers", 1, MAX_WORKERS),
            scheduler=table.optional_text("scheduler"),
            tls=ClusterTls(*given) if given else None,
        )

    def count(self) -> int:
        """How many processes a pool has."""
        # Not cpu_count: a container or a taskset may leave this process fewer.
        return self.workers if self.workers is not None else len(os.sched_getaffinity(0))


def proving_section() -> list[str]:
    """The lines about who proves the parts of a large bundle; only a mainland site has a vault."""
    return [
        "[proving]",
        f"executor = {quoted(ExecutorKind.PROCESSES)}",
        "# workers = 2",
        '# executor = "dask"',
        '# scheduler = "tls://scheduler.example:8786"',
        '# tls_authority = "private/cluster-ca.pem"',
        '# tls_certificate = "private/cluster-vault.pem"',
        '# tls_key = "private/cluster-vault-key.pem"',
        "",
    ]


def _address(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        whole = parts.port is not None and parts.hostname and not (parts.path or parts.query)
    except ValueError:
        raise _refused("scheduler", "must be tls://HOST:PORT") from None
    if not whole or parts.username is not None or parts.scheme not in ("tls", "tcp"):
        raise _refused("scheduler", "must be tls://HOST:PORT")
    if parts.scheme == "tcp" and not _is_loopback(parts.hostname or ""):
        # Anyone on the way would read the values that are proven about, and could answer with
        # objects of its own making.
        raise _refused(
            "scheduler",
            "must be tls:// for another machine; tcp:// is for an address such as 127.0.0.1",
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        # A name such as localhost is looked up, and what is looked up can be answered by others.
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(field: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"[proving] {field} {what}", field=field)
