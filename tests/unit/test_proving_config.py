"""`[proving]` in site.toml: what is read, and what is refused before anything is connected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vault.errors import InvalidInputError
from vault.proving import ClusterTls, ExecutorKind, ProvingConfig, proving_section
from vault.toml_table import Table, read_toml

FILES = """
tls_authority = "private/ca.pem"
tls_certificate = "private/vault.pem"
tls_key = "private/key.pem"
"""


def read(text: str) -> ProvingConfig:
    """The settings in the text, for a site in /site."""
    table = Table(read_toml(text.encode(), where="site.toml"), where="site.toml [proving]")
    config = ProvingConfig.read(table, Path("/site"))
    table.end()
    return config


def test_nothing_said_means_one_process_a_processor() -> None:
    """Of those that this process may use, which may be fewer than the machine has."""
    assert read("") == ProvingConfig(kind=ExecutorKind.PROCESSES)
    assert read("").count() == len(os.sched_getaffinity(0))
    assert read("workers = 3").count() == 3


def test_fresh_settings_can_be_read() -> None:
    """What `crossvault init` writes is what it means."""
    text = "\n".join(proving_section())
    table = Table(read_toml(text.encode(), where="site.toml"), where="site.toml")
    assert ProvingConfig.read(table.table("proving"), Path("/site")) == ProvingConfig()


def test_cluster_over_tls() -> None:
    """With the three files, relative to the site's folder."""
    config = read('executor = "dask"\nscheduler = "tls://workers.example:8786"' + FILES)
    folder = Path("/site/private")
    tls = ClusterTls(folder / "ca.pem", folder / "vault.pem", folder / "key.pem")
    assert config == ProvingConfig(
        kind=ExecutorKind.DASK, scheduler="tls://workers.example:8786", tls=tls
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "[::1]"])
def test_plain_cluster_on_loopback(host: str) -> None:
    """Nobody is on the way; so no certificate is asked for."""
    config = read(f'executor = "dask"\nscheduler = "tcp://{host}:8786"')
    assert config.scheduler == f"tcp://{host}:8786"


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "192.0.2.1", "localhost", "workers.example", "[::]", "127.0.0.1.example"]
)
def test_plain_cluster_elsewhere_is_refused(host: str) -> None:
    """Values would cross a network in plain; a name may be answered by anybody."""
    with pytest.raises(InvalidInputError, match="must be tls://"):
        read(f'executor = "dask"\nscheduler = "tcp://{host}:8786"')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('executor = "threads"', "must be processes, inline, dask"),
        ('executor = "dask"', "scheduler is missing"),
        ('executor = "dask"\nscheduler = "tls://h:8786"', "needs tls_authority"),
        ('executor = "dask"\nscheduler = "tcp://127.0.0.1:1"' + FILES, "uses no certificate"),
        ('executor = "dask"\nscheduler = "tls://h:8786"\ntls_key = "k"', "go together"),
        ('executor = "dask"\nscheduler = "tls://h"' + FILES, "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "tls://h:99999"' + FILES, "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "tls://h:8786/x"' + FILES, "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "tls://me@h:8786"' + FILES, "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "ucx://h:8786"' + FILES, "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "inproc://127.0.0.1:1"', "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "tls://[h:8786"' + FILES, "tls://HOST:PORT"),
        ('executor = "dask"\nscheduler = "tcp://127.0.0.1:1"\nworkers = 2', "is for processes"),
        ('executor = "inline"\nworkers = 2', "is for processes"),
        ('scheduler = "tls://h:8786"', "is for dask"),
        ('executor = "inline"' + FILES, "is for dask"),
        ("workers = 0", "from 1 to 256"),
        ("workers = 257", "from 1 to 256"),
        ('workers = "2"', "from 1 to 256"),
        ("processes = 2", "unknown setting"),
    ],
)
def test_settings_that_would_not_hold_are_refused(text: str, says: str) -> None:
    """A setting that is silently ignored is believed by whoever wrote it."""
    with pytest.raises(InvalidInputError, match=says):
        read(text)


@pytest.mark.parametrize("workers", [0, 257])
def test_number_of_workers_is_bounded(workers: int) -> None:
    """Wherever the settings come from."""
    with pytest.raises(InvalidInputError, match="1 to 256"):
        ProvingConfig(workers=workers)
