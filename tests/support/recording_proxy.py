"""Proxies that end mutual TLS on both of their sides and record what passes in plain.

Only whoever made both sites can set this up: a proxy needs the server's TLS key, and towards the
server the key of the very client that called. It passes every byte on unchanged, after it wrote it
down. `redirected` makes the later number of a site file by which clients find the proxy in the
place of the server, which itself goes on listening where its own copy says.

    folder/0003 hk-spv-issuer to cn-vault-main.request    client to server
    folder/0003 hk-spv-issuer to cn-vault-main.response   server to client
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from vault import pki
from vault.enrol import SiteFolder
from vault.identity import Identity, read_signing_key
from vault.sites import SiteSet, make_site

_CHUNK = 1 << 16


def redirected(site: SiteFolder, addresses: Mapping[str, str]) -> bytes:
    """The next number of a side's file, with other addresses for some of its servers (by URI)."""
    current = site.current()
    return make_site(
        trust_domain=current.trust_domain,
        jurisdiction=current.jurisdiction,
        number=current.number + 1,
        issued=current.issued,
        site_key=read_signing_key(site.folder / "private" / "site-key.pem"),
        ca=current.ca,
        quorum=current.quorum,
        principals=[
            replace(record, address=addresses.get(record.uri, record.address))
            for record in current.principals.values()
        ],
    )


@dataclass(frozen=True)
class _Route:
    """One server, and the clients whose certificates (DER) the proxy can take over."""

    server: Identity
    address: str
    clients: Mapping[bytes, Identity]
    sites: SiteSet


class RecordingProxies:
    """Proxies in a thread of their own; leaving the block ends them."""

    def __init__(self, folder: Path) -> None:
        """Record into `folder`, which is made."""
        self._folder = folder
        folder.mkdir()
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies")
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self.errors: list[str] = []

    def __enter__(self) -> RecordingProxies:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def before(self, server: Identity, clients: Iterable[Identity], sites: SiteSet) -> str:
        """Put a proxy before a server, for these clients; the address where it listens."""
        address = sites.principal(server.principal).address
        if address is None:
            raise ValueError(f"{server.uri} listens nowhere")
        known = {_der(client): client for client in clients}
        starting = self._start(_Route(server, address, known, sites))
        return asyncio.run_coroutine_threadsafe(starting, self._loop).result(20)

    async def _start(self, route: _Route) -> str:
        context = _context(ssl.PROTOCOL_TLS_SERVER, route.server)
        context.verify_mode = ssl.CERT_REQUIRED
        for side in ("cn", "hk"):
            context.load_verify_locations(cadata=_pem(route.sites, side))

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)
            try:
                await self._connection(route, reader, writer)
            except OSError as error:  # the server is away: its client sees the same
                self.errors.append(f"{route.server.uri}: {error}")
            except asyncio.CancelledError:  # the end of the block, which asyncio would report
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
        self._servers.append(server)
        return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _connection(
        self, route: _Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        client = route.clients[presented]
        context = _context(ssl.PROTOCOL_TLS_CLIENT, client)
        context.load_verify_locations(cadata=_pem(route.sites, route.server.principal.jurisdiction))
        host, _, port = route.address.rpartition(":")
        inner_reader, inner_writer = await asyncio.open_connection(
            host, int(port), ssl=context, server_hostname=route.server.principal.server_name
        )
        name = f"{next(self._numbers):04} {_short(client)} to {_short(route.server)}"
        with (
            (self._folder / f"{name}.request").open("wb", buffering=0) as asked,
            (self._folder / f"{name}.response").open("wb", buffering=0) as answered,
        ):
            both = [
                asyncio.ensure_future(_pass_on(reader, inner_writer, asked)),
                asyncio.ensure_future(_pass_on(inner_reader, writer, answered)),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                inner_writer.close()
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: BinaryIO
) -> None:
    while data := await reader.read(_CHUNK):
        record.write(data)  # first: nothing passes that is not on record
        writer.write(data)
        await writer.drain()


def _context(protocol: int, identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    # The library reads keys from files only; these are nobody's but the test's.
    with tempfile.NamedTemporaryFile() as file:
        file.write(identity.tls_key_pem + identity.certificate_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _der(identity: Identity) -> bytes:
    return ssl.PEM_cert_to_DER_cert(identity.certificate_pem.decode())


def _pem(sites: SiteSet, side: str) -> str:
    return pki.encode_certificate(sites.ca(side)).decode()


def _short(identity: Identity) -> str:
    principal = identity.principal
    return f"{principal.jurisdiction}-{principal.role}-{principal.name}"
