"""Named sets between real processes: added in parts, changed, exported whole or as a header."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.cluster import VAULT, Cluster
from support.sites import TwoSites, make_two_sites

from proofs.errors import SetError
from proofs.named_set import NamedSet
from vault import cli
from vault.client import sets
from vault.client.session import Session, at_vault
from vault.client.set_versions import last_version, note_version
from vault.errors import ConflictError, InvalidInputError
from vault.server import sets as server
from vault.v1 import set_pb2, set_pb2_grpc

COUNT = 30_000


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSites]:
    """A vault that serves, and two sites of people."""
    found = make_two_sites(tmp_path_factory.mktemp("sites"))
    with Cluster(found) as cluster:
        cluster.start([VAULT])
        yield found


def _run(two_sites: TwoSites, *arguments: str, side: str = "hk", name: str = "lists") -> int:
    return cli.run([*arguments, "--as", str(two_sites.folder(side, "authority", name))])


def _session(two_sites: TwoSites, role: str = "authority", name: str = "lists"):  # type: ignore[no-untyped-def]
    return at_vault(two_sites.folder("hk", role, name), sets.SERVICE)


@pytest.fixture(scope="module")
def listed(two_sites: TwoSites, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of more bytes than a message may have, added; its exported file."""
    folder = tmp_path_factory.mktemp("list")
    source = folder / "names.txt"
    filler = "公司 " * 40
    source.write_text("".join(f"{filler}{number} ltd\n" for number in range(COUNT)))
    assert source.stat().st_size > 8 << 20
    output = folder / "big.set"
    options = ("--type", "name", "--source", "register", "-o", str(output))
    assert _run(two_sites, "set", "add", "big", str(source), *options) == 0
    return output


def test_a_set_larger_than_a_message_goes_both_ways(
    two_sites: TwoSites, listed: Path, tmp_path: Path
) -> None:
    """What an SPV exports is the file that the authority made, byte for byte."""
    target = tmp_path / "big.set"
    spv = str(two_sites.folder("hk", "spv", "issuer"))
    assert cli.run(["set", "export", "big", "-o", str(target), "--as", spv]) == 0
    assert target.read_bytes() == listed.read_bytes()
    assert NamedSet.load(target).header.count == COUNT


def test_the_header_alone(two_sites: TwoSites, listed: Path, tmp_path: Path) -> None:
    """The envelope's line and nothing else, of the newest version and of a named one."""
    head = listed.read_bytes().partition(b"\n")[0] + b"\n"
    spv = str(two_sites.folder("hk", "spv", "issuer"))
    for extra in ((), ("--digest", NamedSet.header_of(head).digest)):
        target = tmp_path / "big.header"
        export = ["set", "export", "big", "--header", *extra, "-o", str(target), "--as", spv]
        assert cli.run(export) == 0
        assert target.read_bytes() == head
    missing = ["set", "export", "big", "--header", "--digest", "0" * 64, "--as", spv]
    assert cli.run(missing) == 1


def test_a_changed_set_is_its_next_version(
    two_sites: TwoSites, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Added, removed, both, neither: signed under the next number, with its own digest."""
    source = tmp_path / "few.txt"
    source.write_text("Alpha\nBeta\nGamma\n")
    options = ("--type", "name", "--source", "register")
    assert _run(two_sites, "set", "add", "few", str(source), *options) == 0
    target = tmp_path / "few.set"
    found = []
    for changes in (
        ("--add", "DELTA", "--add", "epsilon"),
        ("--remove", "beta"),
        ("--add", "Beta", "--remove", "Alpha"),
        (),
    ):
        assert _run(two_sites, "set", "change", "few", *changes, "-o", str(target)) == 0
        assert "made from version" in capsys.readouterr().err
        named = NamedSet.load(target)
        found.append((named.header.version, named.header.source, named.members))
    assert found == [
        (2, "register", ("alpha", "beta", "delta", "epsilon", "gamma")),
        (3, "register", ("alpha", "delta", "epsilon", "gamma")),
        (4, "register", ("beta", "delta", "epsilon", "gamma")),
        (5, "register", ("beta", "delta", "epsilon", "gamma")),
    ]
    with _session(two_sites) as session:
        assert sets.export(session.channel, session.sites, "few").members == found[-1][2]
    for wrong, said in (
        (("--add", "beta"), "already"),
        (("--remove", "alpha"), "is not in @few version 5"),
        (("--remove", "beta", "--remove", "BETA"), "is not in"),
        (("--add", "be\u200bta"), "200B"),
    ):
        assert _run(two_sites, "set", "change", "few", *wrong) == 1
        assert said in capsys.readouterr().err
    assert _run(two_sites, "set", "change", "few", side="cn", name="registry") == 1
    assert "you have signed no set" in capsys.readouterr().err
    assert _run(two_sites, "set", "change", "other") == 1


def test_a_version_that_the_vault_hides_is_not_signed_again(
    two_sites: TwoSites, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A vault that went back to an older version would get a change of that one signed, without
    the names added since; the whole list may be handed in, under a number that was never used."""
    source = tmp_path / "few.txt"
    source.write_text("Alpha\nBeta\n")
    add = ("set", "add", "hidden", str(source), "--type", "name", "--source", "register")
    assert _run(two_sites, *add) == 0
    identity = two_sites.identity("hk", "authority", "lists")
    assert last_version(identity, "hidden") == 1
    with _session(two_sites) as session:
        shown = sets.export(session.channel, session.sites, "hidden").header
    note_version(identity, replace(shown, version=5))
    note_version(identity, replace(shown, version=3))
    assert _run(two_sites, "set", "change", "hidden", "--add", "Gamma") == 1
    assert "took version 5 from here" in capsys.readouterr().err
    assert _run(two_sites, *add) == 0
    assert "version 6" in capsys.readouterr().err
    assert _run(two_sites, "set", "change", "hidden", "--add", "Gamma") == 0
    assert last_version(identity, "hidden") == 7


def test_parts_of_a_set_that_do_not_fit(two_sites: TwoSites, listed: Path) -> None:
    """No envelope, a late or a second one, members cut off or twice: refused, nothing stored."""
    named = NamedSet.load(listed)
    envelope, parts = named.envelope.encode(), list(sets._messages(named))
    assert len(parts) > 2
    assert [bool(part.envelope) for part in parts] == [True] + [False] * (len(parts) - 1)
    request = set_pb2.AddSetRequest
    for messages, said in (
        ([], "envelope"),
        ([request()], "comes first"),
        ([request(members=["a"]), request(envelope=envelope)], "comes first"),
        ([request(envelope=envelope), request(envelope=envelope)], "second envelope"),
        (parts[:-1], "were signed"),
        ([*parts, parts[-1]], "were signed"),
        ([parts[0], *reversed(parts[1:])], "not in order"),
        ([parts[0], request(members=["a\nb"])], "line break"),
    ):
        with (
            pytest.raises((InvalidInputError, ConflictError), match=said),
            _session(two_sites) as session,
        ):
            _add(session, messages)


def test_a_set_is_bounded_while_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By members and by bytes, before anything is made of them."""
    request = set_pb2.AddSetRequest
    taken = 0

    async def endless(message: set_pb2.AddSetRequest) -> AsyncIterator[set_pb2.AddSetRequest]:
        nonlocal taken
        yield request(envelope=b"{}")
        while True:
            taken += 1
            yield message

    monkeypatch.setattr(server, "MAX_SET_SIZE", 1000)
    monkeypatch.setattr(server, "FILE_LIMIT", 50_000)
    for message, least in ((request(members=[""] * 100), 11), (request(members=["x" * 9900]), 6)):
        taken = 0
        with pytest.raises(InvalidInputError, match="at most 1000 members and 50000 bytes"):
            asyncio.run(server._collect(endless(message)))
        assert taken == least


def _add(session: Session, messages: list[set_pb2.AddSetRequest]) -> None:
    set_pb2_grpc.SetServiceStub(session.channel).AddSet(iter(messages))


def test_a_vault_that_answers_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client takes no more than a set may have."""

    class Endless:
        def __init__(self, channel: object) -> None:
            del channel

        def GetSet(self, request: object) -> Iterator[set_pb2.GetSetResponse]:  # noqa: N802
            while True:
                yield set_pb2.GetSetResponse(members=["x" * 1000] * 100)

    monkeypatch.setattr(set_pb2_grpc, "SetServiceStub", Endless)
    monkeypatch.setattr(sets, "FILE_LIMIT", 1 << 20)
    with pytest.raises(SetError, match="more than"):
        sets.export(None, None, "big")  # type: ignore[arg-type]
