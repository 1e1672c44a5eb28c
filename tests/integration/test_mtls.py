"""Mutual TLS end to end: who gets in, who is told no, and what streams may cost.

Every test runs a real server and real connections on loopback, with certificates that the sites
issued or that an attacker with one side's CA key would issue.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from support.certificates import Rogue, names, rogue_leaf
from support.servers import DOCUMENTS, RELEASES, Documents, raw_channel, running
from support.sites import TwoSites, make_two_sites

from proofs import canonical, envelope
from proofs.envelope import Envelope, PayloadType
from vault import pki
from vault.client.channel import connect, connect_async, reporting
from vault.config import Quorum
from vault.enrol import SiteFolder, create_site
from vault.errors import (
    ConflictError,
    ExhaustedError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    VaultError,
)
from vault.files import read_private
from vault.identity import Identity, read_signing_key
from vault.pinning import pin
from vault.server.auth import Gatekeeper
from vault.server.limits import Limits
from vault.server.runtime import Runtime, Service
from vault.server.tls import Authenticator, server_credentials
from vault.site_file import PrincipalRecord
from vault.v1 import document_pb2, document_pb2_grpc, release_pb2, release_pb2_grpc

VAULT = "spiffe://rwa.example/cn/vault/main"
BANK = "spiffe://rwa.example/cn/custodian/bank"
PUT = document_pb2.PutDocumentsRequest(header=document_pb2.PutHeader(documents=1))
SEALED = document_pb2.PutDocumentsRequest(document=document_pb2.SealedDocument())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two joined sites, made once."""
    folder = tmp_path_factory.mktemp("made")
    make_two_sites(folder)
    return folder


@pytest.fixture
def sites(made: Path, tmp_path: Path) -> TwoSites:
    """A copy of its own of both sides."""
    shutil.copytree(made, tmp_path / "both")
    return TwoSites(SiteFolder(tmp_path / "both" / "cn"), SiteFolder(tmp_path / "both" / "hk"))


def documents(channel: Any) -> Any:
    """The stub of the document service; its methods are typed for one kind of channel only."""
    return document_pb2_grpc.DocumentServiceStub(channel)


def vault_record(sites: TwoSites) -> PrincipalRecord:
    """The vault as the mainland lists it."""
    return sites.cn.sites().principal(VAULT)


async def who(sites: TwoSites, channel: aio.Channel) -> str:
    """Ask the server who it takes the caller for."""
    with reporting(vault_record(sites)):
        answer = await documents(channel).GetPut(document_pb2.GetPutRequest(), timeout=20)
    return str(answer.result.document)


async def refusal(sites: TwoSites, certificate: Rogue) -> VaultError:
    """What the running vault answers to this certificate."""
    record = vault_record(sites)
    async with raw_channel(
        str(record.address),
        roots=(sites.cn.folder / "ca.pem").read_bytes(),
        server_name=record.principal.server_name,
        key_pem=certificate.key_pem,
        certificate_pem=certificate.certificate_pem,
    ) as channel:
        with pytest.raises(VaultError) as caught:
            await who(sites, channel)
    return caught.value


def ca_of(site: SiteFolder) -> Rogue:
    """A side's real CA with its key: what a corrupt administrator of that side has."""
    key = pki.decode_key(read_private(site.folder / "private" / "ca-key.pem"), where="ca")
    pem = (site.folder / "ca.pem").read_bytes()
    return Rogue(key, pki.read_certificate(pem, where="ca"))


def unconstrained(sites: TwoSites) -> Rogue:
    """Hong Kong's CA with its name constraints left out, published in a real `site.json`.

    A corrupt side leaves out of its certificate what would hold it back.
    """
    ca, name = ca_of(sites.hk), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hk")])
    now = pki.now_utc()
    usage = ca.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(ca.key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(ca.key, hashes.SHA256())
    )
    site = sites.hk.current()
    payload = canonical.parse(
        Envelope.parse(site.encoded).unverified_payload, limit=envelope.MAX_PAYLOAD
    )
    assert isinstance(payload, dict)
    payload |= {"ca": pki.encode_certificate(certificate).decode(), "number": site.number + 1}
    key = read_signing_key(sites.hk.folder / "private" / "site-key.pem")
    sites.cn.join(envelope.sign(PayloadType.SITE, canonical.dump(payload), key), site.fingerprint)
    return Rogue(ca.key, certificate)


# --- who gets in --------------------------------------------------------------------------------


async def test_a_listed_principal_is_known_by_its_uri(sites: TwoSites) -> None:
    """Callers of both sides are taken for exactly who their certificates say."""
    bank, issuer = (
        sites.identity("cn", "custodian", "bank"),
        sites.identity("hk", "spv", "issuer"),
    )
    async with (
        running(sites.vault),
        connect_async(bank, bank.sites(), VAULT, services=[DOCUMENTS]) as mine,
        connect_async(issuer, issuer.sites(), VAULT, services=[DOCUMENTS]) as theirs,
    ):
        assert await who(sites, mine) == BANK
        answer = await documents(theirs).ListSchemas(document_pb2.ListSchemasRequest())
        assert answer.schemas == [b"spiffe://rwa.example/hk/spv/issuer"]


async def test_a_blocking_client_gets_in_too(sites: TwoSites) -> None:
    """The channel of the command line reaches the same server and gets the same refusals."""
    bank = sites.identity("cn", "custodian", "bank")

    def call() -> str:
        with connect(bank, bank.sites(), VAULT, services=[DOCUMENTS]) as channel:
            with reporting(vault_record(sites)):
                first = documents(channel).GetPut(document_pb2.GetPutRequest())
            with pytest.raises(NotAllowedError), reporting(vault_record(sites)):
                documents(channel).CheckCommitted(document_pb2.CheckCommittedRequest())
            return str(first.result.document)

    async with running(sites.vault):
        assert await asyncio.to_thread(call) == BANK


@pytest.mark.parametrize(
    ("side", "role", "name"),
    [
        ("cn", "officer", "wang"),
        ("cn", "holder", "h1"),
        ("cn", "auditor", "audit"),
        ("hk", "spv", "issuer"),
        ("hk", "holder", "h1"),
    ],
)
async def test_another_role_or_side_is_refused(
    sites: TwoSites, side: str, role: str, name: str
) -> None:
    """A method for mainland custodians serves no other role, and no role of the other side."""
    caller = sites.identity(side, role, name)
    async with running(sites.vault), connect_async(caller, caller.sites(), VAULT) as channel:
        with pytest.raises(NotAllowedError) as caught:
            await who(sites, channel)
    assert caught.value.reason == "ROLE_NOT_SERVED"


@pytest.mark.parametrize(
    ("uri", "dns", "reason"),
    [
        ("spiffe://rwa.example/hk/custodian/x", [], "BAD_CERTIFICATE"),
        ("spiffe://rwa.example/hk/vault/x", ["x.vault.hk.rwa.example"], "BAD_CERTIFICATE"),
        ("spiffe://rwa.example/cn/custodian/x", [], "WRONG_CA"),
        ("spiffe://rwa.example/cn/custodian/bank", [], "WRONG_CA"),
        ("spiffe://rwa.example/cn/vault/main", ["main.vault.cn.rwa.example"], "WRONG_CA"),
        ("spiffe://rwa.example/cn/holder/h1", ["h1.holder.cn.rwa.example"], "WRONG_CA"),
        ("spiffe://rwa.example/hk/spv/unlisted", [], "NOT_LISTED"),
        ("spiffe://other.example/hk/spv/issuer", [], "NOT_LISTED"),
    ],
)
@pytest.mark.parametrize("constrained", [True, False])
async def test_one_sides_ca_makes_no_principal_of_the_other(
    sites: TwoSites, uri: str, dns: list[str], reason: str, constrained: bool
) -> None:
    """Whatever Hong Kong's CA signs, nobody is a custodian, a vault or a mainland holder by it.

    With the constraints that `init` writes, the TLS library refuses names of mainland servers
    by itself; without them our own check does.
    """
    ca = ca_of(sites.hk) if constrained else unconstrained(sites)
    async with running(sites.vault):
        error = await refusal(sites, rogue_leaf(ca, names(uri, dns=dns)))
    if constrained and any(".cn." in name for name in dns):
        assert error.reason == "UNREACHABLE"
    else:
        assert isinstance(error, UnauthenticatedError)
        assert error.reason == reason


async def test_a_second_uri_opens_no_second_door(sites: TwoSites) -> None:
    """The right CA, and two URIs: refused, in either order."""
    ca = ca_of(sites.hk)
    issuer = "spiffe://rwa.example/hk/spv/issuer"
    async with running(sites.vault):
        for uris in ((issuer, BANK), (BANK, issuer)):
            error = await refusal(sites, rogue_leaf(ca, names(*uris)))
            assert error.reason == "BAD_CERTIFICATE"


async def test_a_strangers_ca_and_no_certificate_end_at_the_handshake(
    sites: TwoSites, tmp_path: Path
) -> None:
    """A certificate of a third CA, none at all, and no TLS at all: no call gets through."""
    create_site(
        tmp_path / "third",
        trust_domain="rwa.example",
        jurisdiction="cn",
        quorum=Quorum(threshold=2, holders=2),
        now=pki.now_utc(),
    )
    third = SiteFolder(tmp_path / "third")
    third.issue("custodian", "bank", now=pki.now_utc())
    stranger = rogue_leaf(ca_of(third), names(BANK))
    record = vault_record(sites)
    roots = (sites.cn.folder / "ca.pem").read_bytes()
    async with running(sites.vault) as server:
        assert (await refusal(sites, stranger)).reason == "UNREACHABLE"
        async with raw_channel(
            str(record.address), roots=roots, server_name=record.principal.server_name
        ) as channel:
            with pytest.raises(UnavailableError):
                await who(sites, channel)
        async with aio.insecure_channel(str(record.address)) as channel:
            with pytest.raises(UnavailableError):
                await who(sites, channel)
        assert server.documents.calls == 0


# --- posing as the vault ------------------------------------------------------------------------


@pytest.mark.parametrize("attacker", ["cn holder", "hk holder", "hk CA"])
async def test_a_holder_cannot_pose_as_the_vault(sites: TwoSites, attacker: str) -> None:
    """On the vault's own address, with a holder's certificate or one that Hong Kong's CA made.

    The client says that this is not the vault, and the impostor sees no request.
    """
    record = vault_record(sites)
    if attacker == "hk CA":
        san = names(VAULT, dns=[record.principal.server_name])
        leaf = rogue_leaf(unconstrained(sites), san)
        key, certificate = leaf.key_pem, leaf.certificate_pem
    else:
        holder = sites.identity(attacker[:2], "holder", "h1")
        key, certificate = holder.tls_key_pem, holder.certificate_pem
    roots = b"".join((s.folder / "ca.pem").read_bytes() for s in (sites.cn, sites.hk))
    impostor, seen = aio.server(), Documents()
    document_pb2_grpc.add_DocumentServiceServicer_to_server(seen, impostor)
    impostor.add_secure_port(
        str(record.address),
        grpc.ssl_server_credentials([(key, certificate)], roots, require_client_auth=True),
    )
    await impostor.start()
    bank = sites.identity("cn", "custodian", "bank")
    try:
        async with connect_async(bank, bank.sites(), VAULT) as channel:
            with pytest.raises(UnauthenticatedError, match="is not spiffe://") as caught:
                await who(sites, channel)
    finally:
        await impostor.stop(0)
    assert caught.value.reason == "WRONG_SERVER"
    assert seen.calls == 0


# --- at every call ------------------------------------------------------------------------------


async def test_an_expired_certificate_is_refused_on_an_open_channel(sites: TwoSites) -> None:
    """A certificate of two seconds: the first call is served, one after its end is not."""
    sites.cn.issue("custodian", "brief", now=pki.now_utc(), life=timedelta(seconds=2))
    brief = sites.identity("cn", "custodian", "brief")
    async with running(sites.vault), connect_async(brief, brief.sites(), VAULT) as channel:
        assert (await who(sites, channel)).endswith("/brief")
        await asyncio.sleep(3.2)
        with pytest.raises(UnauthenticatedError, match="renew") as caught:
            await who(sites, channel)
    assert caught.value.reason == "EXPIRED"
    with pytest.raises(NotAllowedError, match="crossvault identity renew"):
        connect_async(brief, brief.sites(), VAULT)


async def test_validity_is_judged_by_the_servers_clock(sites: TwoSites) -> None:
    """The same open channel is served, refused before its time, and served again."""
    now, offset = pki.now_utc(), [timedelta()]
    bank = sites.identity("cn", "custodian", "bank")
    async with (
        running(sites.vault, clock=lambda: now + offset[0]),
        connect_async(bank, bank.sites(), VAULT) as channel,
    ):
        for shift, served in ((0, True), (-1, False), (29, True), (31, False), (0, True)):
            offset[0] = timedelta(days=shift)
            if served:
                assert await who(sites, channel) == BANK
            else:
                with pytest.raises(UnauthenticatedError):
                    await who(sites, channel)


async def test_a_removed_principal_is_refused_at_its_next_call(sites: TwoSites) -> None:
    """Removal takes effect on open channels, and enrolling the name again does not revive it.

    The old certificate is older than the new listing; the new certificate is served.
    """
    old = sites.identity("cn", "custodian", "bank")
    async with (
        running(sites.vault),
        connect_async(old, old.sites(), VAULT) as channel,
    ):
        assert await who(sites, channel) == BANK
        sites.cn.remove("custodian", "bank", now=pki.now_utc())
        with pytest.raises(UnauthenticatedError) as caught:
            await who(sites, channel)
        assert caught.value.reason == "NOT_LISTED"
        later = pki.now_utc() + timedelta(minutes=1)
        sites.cn.issue("custodian", "bank", now=later)
        with pytest.raises(UnauthenticatedError) as caught:
            await who(sites, channel)
        assert caught.value.reason == "NOT_LISTED"
        new = sites.identity("cn", "custodian", "bank")
        async with connect_async(new, new.sites(), VAULT) as fresh:
            assert await who(sites, fresh) == BANK


async def test_a_principal_removed_by_the_other_side_is_refused(sites: TwoSites) -> None:
    """The vault takes Hong Kong's later file while it runs, and an older one does not undo it."""
    issuer, before = sites.identity("hk", "spv", "issuer"), sites.hk.current()
    request = document_pb2.ListSchemasRequest()
    async with running(sites.vault), connect_async(issuer, issuer.sites(), VAULT) as channel:
        await documents(channel).ListSchemas(request)
        sites.hk.remove("spv", "issuer", now=pki.now_utc())
        sites.exchange()
        with pytest.raises(UnauthenticatedError), reporting(vault_record(sites)):
            await documents(channel).ListSchemas(request)
        with pytest.raises(ConflictError, match="older"):
            sites.cn.join(before.encoded, before.fingerprint)
        (sites.folder("cn", "vault", "main") / "sites" / "hk.json").write_bytes(before.encoded)
        with pytest.raises(UnauthenticatedError), reporting(vault_record(sites)):
            await documents(channel).ListSchemas(request)


async def test_a_renewed_certificate_needs_no_restart(sites: TwoSites) -> None:
    """The vault's new certificate is presented to the next connection."""
    bank = sites.identity("cn", "custodian", "bank")
    async with running(sites.vault):
        before = await asyncio.to_thread(_presented, sites)
        sites.cn.renew("vault", "main", now=pki.now_utc())
        assert await asyncio.to_thread(_presented, sites) != before
        async with connect_async(bank, bank.sites(), VAULT) as channel:
            assert await who(sites, channel) == BANK


async def test_a_side_that_joins_later_needs_no_restart(sites: TwoSites, tmp_path: Path) -> None:
    """A vault that runs alone refuses Hong Kong, and serves it once the sides are joined."""
    vault = sites.folder("cn", "vault", "main")
    shutil.rmtree(vault / "sites")
    pin(vault / "sites", {"cn": sites.cn.current()})
    issuer = sites.identity("hk", "spv", "issuer")
    request = document_pb2.ListSchemasRequest()
    async with running(Identity.load(vault)):
        async with connect_async(issuer, issuer.sites(), VAULT) as channel:
            with pytest.raises(UnavailableError), reporting(vault_record(sites)):
                await documents(channel).ListSchemas(request)
        sites.exchange()
        async with connect_async(issuer, issuer.sites(), VAULT) as channel:
            answer = await documents(channel).ListSchemas(request)
            assert answer.schemas == [issuer.uri.encode()]


def _presented(sites: TwoSites) -> str:
    import socket
    import ssl

    record, bank = vault_record(sites), sites.folder("cn", "custodian", "bank")
    host, port = str(record.address).split(":")
    context = ssl.create_default_context(cafile=str(sites.cn.folder / "ca.pem"))
    context.load_cert_chain(bank / "tls.pem", bank / "tls-key.pem")
    with (
        socket.create_connection((host, int(port))) as plain,
        context.wrap_socket(plain, server_hostname=record.principal.server_name) as secure,
    ):
        return str(secure.getpeercert())


# --- the gate -----------------------------------------------------------------------------------


async def test_a_servicer_with_an_undeclared_method_does_not_start(sites: TwoSites) -> None:
    """One method without a declaration, and no server is made."""

    class Open(Documents):
        async def GetDocument(self, request: Any, context: Any) -> Any:  # noqa: N802
            return document_pb2.GetDocumentResponse()

    vault = sites.vault
    add = document_pb2_grpc.add_DocumentServiceServicer_to_server
    with pytest.raises(TypeError, match="GetDocument"):
        Runtime(vault, vault.sites(), [Service(Open(), DOCUMENTS, add)])
    Runtime(vault, vault.sites(), [Service(Documents(), DOCUMENTS, add)])


async def test_a_method_in_no_table_is_closed(sites: TwoSites) -> None:
    """A service that was added behind the gate's back serves nobody."""
    vault, bank = sites.vault, sites.identity("cn", "custodian", "bank")
    gate = Gatekeeper(Authenticator(vault.sites(), pki.now_utc), {}, Limits())
    server = aio.server(interceptors=[gate])
    document_pb2_grpc.add_DocumentServiceServicer_to_server(Documents(), server)
    server.add_secure_port(
        str(vault_record(sites).address), server_credentials(vault, vault.sites())
    )
    await server.start()
    try:
        async with connect_async(bank, bank.sites(), VAULT) as channel:
            with pytest.raises(NotAllowedError, match="does not serve"):
                await who(sites, channel)
    finally:
        await server.stop(0)


async def test_who_may_not_serve_does_not_start(sites: TwoSites) -> None:
    """A custodian, an unlisted vault and an expired one are refused before a port is opened."""
    bank, vault = sites.identity("cn", "custodian", "bank"), sites.vault
    with pytest.raises(NotAllowedError, match="serves nobody"):
        Runtime(bank, bank.sites(), [])
    with pytest.raises(NotAllowedError, match="expired"):
        Runtime(vault, vault.sites(), [], clock=lambda: pki.now_utc() + timedelta(days=31))
    sites.cn.remove("vault", "main", now=pki.now_utc())
    with pytest.raises(NotFoundError, match="not listed"):
        Runtime(vault, sites.cn.sites(), [])


async def test_two_processes_do_not_share_an_address(sites: TwoSites) -> None:
    """A second server on the same port is refused; the system would split calls between them."""
    async with running(sites.vault):
        with pytest.raises(UnavailableError, match="cannot listen"):
            async with running(sites.vault):
                pass


async def test_health_and_reflection_serve_every_listed_principal(sites: TwoSites) -> None:
    """An auditor can ask for both; an unlisted certificate gets neither."""
    auditor = sites.identity("hk", "auditor", "audit")
    unlisted = rogue_leaf(ca_of(sites.hk), names("spiffe://rwa.example/hk/auditor/x"))
    record = vault_record(sites)
    check = health_pb2.HealthCheckRequest(service=DOCUMENTS.full_name)
    listing = reflection_pb2.ServerReflectionRequest(list_services="")
    async with running(sites.vault):
        async with connect_async(auditor, auditor.sites(), VAULT) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            assert (await health.Check(check)).status == health_pb2.HealthCheckResponse.SERVING
            reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
            answers = [a async for a in reflection.ServerReflectionInfo(iter([listing]))]
            found = {s.name for s in answers[0].list_services_response.service}
            assert {DOCUMENTS.full_name, RELEASES.full_name, "grpc.health.v1.Health"} <= found
        async with raw_channel(
            str(record.address),
            roots=(sites.cn.folder / "ca.pem").read_bytes(),
            server_name=record.principal.server_name,
            key_pem=unlisted.key_pem,
            certificate_pem=unlisted.certificate_pem,
        ) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            with pytest.raises(UnauthenticatedError), reporting(record):
                await health.Check(check)


async def test_refusals_and_bugs_arrive_as_they_should(sites: TwoSites) -> None:
    """A refusal keeps its text, reason and field; a bug's text stays on the server."""
    bank = sites.identity("cn", "custodian", "bank")
    record = vault_record(sites)
    async with running(sites.vault) as server, connect_async(bank, bank.sites(), VAULT) as channel:
        server.documents.fault = InvalidInputError("容量 too big", reason="BIG", field="capacity")
        with pytest.raises(InvalidInputError, match="容量 too big") as caught, reporting(record):
            await documents(channel).AddSchema(document_pb2.AddSchemaRequest())
        assert (caught.value.reason, caught.value.field) == ("BIG", "capacity")
        server.documents.fault = ValueError("canary-51")
        with pytest.raises(VaultError, match="incident") as bug, reporting(record):
            await documents(channel).AddSchema(document_pb2.AddSchemaRequest())
        assert bug.value.reason == "INTERNAL"
        assert "canary-51" not in str(bug.value)


# --- bounds -------------------------------------------------------------------------------------

SMALL = Limits(uploads=3, uploads_per_caller=2, streams=2, streams_per_caller=1, idle_seconds=60.0)


async def _endless(started: asyncio.Event | None = None) -> AsyncIterator[Any]:
    """One message, and then nothing for as long as anyone waits."""
    yield PUT
    if started is not None:
        started.set()
    await asyncio.Event().wait()


async def _opened(server: Any, count: int) -> None:
    async with asyncio.timeout(20):
        while server.documents.open < count:
            await asyncio.sleep(0.02)


async def test_idle_uploads_do_not_starve_other_calls(sites: TwoSites) -> None:
    """With every upload slot idle, other calls are served, and more uploads refused at once.

    One caller gets no more than its share, so that another still gets in; a slot that becomes
    free is there for the next.
    """
    bank, trust = (sites.identity("cn", "custodian", n) for n in ("bank", "trust"))
    record = vault_record(sites)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(sites.vault, limits=SMALL))
        mine = await stack.enter_async_context(connect_async(bank, bank.sites(), VAULT))
        other = await stack.enter_async_context(connect_async(trust, trust.sites(), VAULT))
        idle = [documents(mine).PutDocuments(_endless()) for _ in range(2)]
        await _opened(server, 2)
        with pytest.raises(ExhaustedError) as caught, reporting(record):
            await documents(mine).PutDocuments(iter([PUT]))
        assert caught.value.reason == "TOO_MANY_STREAMS"
        idle.append(documents(other).PutDocuments(_endless()))
        await _opened(server, 3)
        with pytest.raises(ExhaustedError), reporting(record):
            await documents(other).PutDocuments(iter([PUT]))
        for _ in range(50):
            assert await who(sites, mine) == BANK
        idle[0].cancel()
        async with asyncio.timeout(20):
            while server.documents.open > 2:
                await asyncio.sleep(0.02)
        assert (await documents(mine).PutDocuments(iter([PUT, SEALED]))).results[0].version == 1
        for call in idle[1:]:
            call.cancel()
        await server.settled()
        assert server.documents.ended.count("whole") == 1
        assert set(server.documents.ended) <= {"whole", "cancelled", "TRUNCATED"}


async def test_a_stalled_upload_is_ended(sites: TwoSites) -> None:
    """An upload on which nothing comes is ended by the server, and its slot is free again."""
    bank = sites.identity("cn", "custodian", "bank")
    limits = Limits(uploads=1, uploads_per_caller=1, idle_seconds=0.3)
    async with (
        running(sites.vault, limits=limits) as server,
        connect_async(bank, bank.sites(), VAULT) as channel,
    ):
        for _ in range(2):
            with pytest.raises(ExhaustedError) as caught, reporting(vault_record(sites)):
                await documents(channel).PutDocuments(_endless())
            assert caught.value.reason == "STREAM_STALLED"
        await server.settled()
        assert server.documents.ended == ["STREAM_STALLED"] * 2


async def test_an_upload_that_never_ends_is_ended(sites: TwoSites) -> None:
    """A message now and then does not hold a slot for ever: the whole has a bound as well."""

    async def dripping() -> AsyncIterator[Any]:
        while True:
            yield PUT
            await asyncio.sleep(0.1)

    bank = sites.identity("cn", "custodian", "bank")
    limits = Limits(idle_seconds=30.0, upload_seconds=0.6)
    async with (
        running(sites.vault, limits=limits),
        connect_async(bank, bank.sites(), VAULT) as channel,
    ):
        with pytest.raises(ExhaustedError) as caught, reporting(vault_record(sites)):
            await documents(channel).PutDocuments(dripping())
    assert caught.value.reason == "STREAM_STALLED"


async def test_a_download_that_nobody_takes_is_ended(sites: TwoSites) -> None:
    """A reader that stops reading loses its stream; one that reads gets all of it."""
    issuer, record = sites.identity("hk", "spv", "issuer"), vault_record(sites)
    request = release_pb2.ReadBlocksRequest()
    limits = Limits(streams=1, streams_per_caller=1, idle_seconds=0.5)
    async with (
        running(sites.vault, limits=limits) as server,
        connect_async(issuer, issuer.sites(), VAULT) as channel,
    ):
        stub: Any = release_pb2_grpc.ReleaseServiceStub(channel)
        stalled = stub.ReadBlocks(request)
        await stalled.read()
        async with asyncio.timeout(20):
            while not server.releases.open:
                await asyncio.sleep(0.02)
        with pytest.raises(ExhaustedError) as caught, reporting(record):
            await stub.ReadBlocks(request).read()
        assert caught.value.reason == "TOO_MANY_STREAMS"
        await server.settled()
        whole = [message async for message in stub.ReadBlocks(request)]
        assert len(whole) == 100
        stalled.cancel()


async def test_slow_readers_of_one_role_hold_no_slot_of_anothers(sites: TwoSites) -> None:
    """An SPV that takes every slot of its role for downloads keeps no custodian from its own."""
    issuer, bank = sites.identity("hk", "spv", "issuer"), sites.identity("cn", "custodian", "bank")
    request = release_pb2.ReadBlocksRequest()
    limits = Limits(streams=1, streams_per_caller=1, idle_seconds=60.0)
    async with (
        running(sites.vault, limits=limits) as server,
        connect_async(issuer, issuer.sites(), VAULT) as slow,
        connect_async(bank, bank.sites(), VAULT) as channel,
    ):
        stalled: Any = release_pb2_grpc.ReleaseServiceStub(slow).ReadBlocks(request)
        await stalled.read()
        async with asyncio.timeout(20):
            while not server.releases.open:
                await asyncio.sleep(0.02)
        for watcher, served in ((slow, False), (channel, True)):
            stub: Any = health_pb2_grpc.HealthStub(watcher)
            watch = stub.Watch(health_pb2.HealthCheckRequest())
            with nullcontext() if served else pytest.raises(grpc.RpcError, match="too many"):
                assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            watch.cancel()
        stalled.cancel()


async def test_a_message_over_the_limit_is_refused(sites: TwoSites) -> None:
    """Six megabytes in one message end that call and nothing else."""
    bank, record = sites.identity("cn", "custodian", "bank"), vault_record(sites)
    async with (
        running(sites.vault),
        raw_channel(
            str(record.address),
            roots=(sites.cn.folder / "ca.pem").read_bytes(),
            server_name=record.principal.server_name,
            key_pem=bank.tls_key_pem,
            certificate_pem=bank.certificate_pem,
        ) as channel,
    ):
        big = document_pb2.AddSchemaRequest(schema=bytes(6 << 20))
        with pytest.raises(ExhaustedError), reporting(record):
            await documents(channel).AddSchema(big)
        assert await who(sites, channel) == BANK


async def test_reads_are_tried_again_and_changes_are_not(sites: TwoSites) -> None:
    """UNAVAILABLE: a read comes four times, a change exactly once."""
    bank, record = sites.identity("cn", "custodian", "bank"), vault_record(sites)
    async with (
        running(sites.vault) as server,
        connect_async(bank, bank.sites(), VAULT, services=[DOCUMENTS]) as channel,
    ):
        server.documents.fault = UnavailableError("holder h2 does not answer")
        for method, request, expected in (
            ("ListDocuments", document_pb2.ListDocumentsRequest(), 4),
            ("AddSchema", document_pb2.AddSchemaRequest(), 1),
        ):
            server.documents.calls = 0
            with pytest.raises(UnavailableError, match="h2"), reporting(record):
                await getattr(documents(channel), method)(request)
            assert server.documents.calls == expected


async def test_a_service_that_is_away_is_named(sites: TwoSites) -> None:
    """No process on the address: the message says which principal, and where."""
    bank, record = sites.identity("cn", "custodian", "bank"), vault_record(sites)
    async with connect_async(bank, bank.sites(), VAULT) as channel:
        with pytest.raises(UnavailableError, match=f"the vault main at {record.address}"):
            await who(sites, channel)
    with pytest.raises(NotFoundError, match="not listed"):
        connect_async(bank, bank.sites(), "spiffe://rwa.example/cn/vault/other")
    with pytest.raises(NotFoundError, match="no address"):
        connect_async(bank, bank.sites(), BANK)


# --- a process ----------------------------------------------------------------------------------

_PROCESS = """
import asyncio, sys
from pathlib import Path
from vault.identity import Identity
from vault.server.runtime import Runtime

async def main():
    identity = Identity.load(Path(sys.argv[1]))
    await Runtime(identity, identity.sites(), []).run(ready_file=Path(sys.argv[2]))

asyncio.run(main())
"""


async def test_a_process_says_when_it_is_ready_and_ends_on_sigterm(
    sites: TwoSites, tmp_path: Path
) -> None:
    """The ready line and file name the address; SIGTERM ends it with exit code 0."""
    folder, ready = sites.folder("cn", "holder", "h1"), tmp_path / "ready"
    record = sites.cn.sites().principal("spiffe://rwa.example/cn/holder/h1")
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, str(folder), str(ready)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        assert line == f"ready {record.uri} {record.address}\n"
        async with asyncio.timeout(20):
            while not ready.exists():
                await asyncio.sleep(0.02)
        assert ready.read_text() == f"{record.address}\n"
        bank = sites.identity("cn", "custodian", "bank")
        async with connect_async(bank, bank.sites(), record.uri) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            await health.Check(health_pb2.HealthCheckRequest())
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
    finally:
        process.kill()
        process.wait()
