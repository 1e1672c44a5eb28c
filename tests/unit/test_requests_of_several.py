"""Requests about several documents by alias: one grant, one bundle, one custodian for all."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import bundles
from support.proof_world import DAY, NOW, OTHER_ASSET, World, make_world, trust_for
from support.sites import TwoSites, make_two_sites

from proofs.envelope import PayloadType, sign
from proofs.errors import CrossproofError, GrantError
from proofs.grant import Grant, GrantedDocument
from proofs.policy import Expectation
from proofs.request import Request, RequestedDocument
from proofs.verify import verify_bundle
from vault.app.request_views import SeenState
from vault.client import consent
from vault.errors import (
    NotFoundError,
)
from vault.storage.journal import Scope


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=NOW - 3 * DAY)


@pytest.fixture
def world(two_sites: TwoSites, tmp_path: Path) -> World:
    return make_world(two_sites, tmp_path)


SUM = ("a.capacity + b.capacity >= 97 MW",)


def about_two(world: World, facts: tuple[str, ...] = SUM, **changes: object) -> Request:
    """A request about both of the bank's plants, `a` and `b`."""
    schema = bundles.schema()
    assets = {"a": bundles.ASSET, "b": OTHER_ASSET} | dict(changes.pop("assets", {}))
    named = [world.named[name] for name in world.named if any(f"@{name}" in f for f in facts)]
    values = {
        "documents": [
            RequestedDocument(alias, asset, schema.digest) for alias, asset in assets.items()
        ],
        "facts": list(facts),
        "sets": [each.reference for each in named],
    }
    return bundles.request(bundles.SMALL_FACTS, **(values | changes))


def test_one_grant_and_one_bundle_for_two_documents(world: World) -> None:
    """The outsider verifies the sum; each document has its own record and count."""
    other = world.store(OTHER_ASSET)
    asked = about_two(world)
    world.asking.submit(world.issuer, asked.data)
    (seen,) = world.deciding.of_custodian(world.bank, limit=9, before=None).requests
    assert seen.digest == asked.digest
    done = world.answering.approve(world.bank, asked.digest, world.grant(asked), "basis")
    assert done.state is SeenState.ANSWERED
    verified = verify_bundle(
        world.asking.fetch(world.issuer, asked.digest),
        trust=trust_for(world),
        expectation=Expectation.for_request(asked.data),
        sets=[],
        now=NOW,
    )
    assert verified.facts == SUM
    assert [each.attestation.document for each in verified.documents][1] == other.document
    records = world.journal.read(Scope(everything=True), since=None, after=0, limit=9)
    assert [each.entry.event for each in records] == ["bundle.issued"] * 2
    assert [each.entry.document for each in records] == [
        each.attestation.document for each in verified.documents
    ]
    assert len({each.entry.artefact for each in records}) == 1


def test_the_custodian_sees_of_each_fact_how_it_stands(world: World) -> None:
    """A false sum, and a value that is absent in one of the documents, by its alias."""
    world.store(OTHER_ASSET, owner=None)
    facts = (
        "a.capacity + b.capacity >= 97 MW",
        "a.capacity + b.capacity >= 97.001 MW",
        "b.owner not in @sanctions",
    )
    asked = about_two(world, facts)
    world.asking.submit(world.issuer, asked.data)
    _, candidate, _ = world.deciding.get_for_custodian(world.bank, asked.digest)
    assert candidate is not None
    assert list(candidate.stored) == ["a", "b"]
    assert [each.detail for each in candidate.outlooks] == [
        "",
        "the fact is false",
        "b.owner is absent in this document",
    ]
    seen = world.answering.approve(world.bank, asked.digest, world.grant(asked), "basis")
    assert seen.state is SeenState.FAILED


def test_a_request_about_others_assets_too_is_nobodys(world: World) -> None:
    """The bank has one of the two: it learns nothing of the request, and nothing can be granted."""
    world.store(OTHER_ASSET, custodian="trust")
    asked = about_two(world)
    world.asking.submit(world.issuer, asked.data)
    own = world.request()
    world.asking.submit(world.issuer, own.data)
    other = world.sites.identity("cn", "custodian", "trust").principal
    assert [
        e.digest for e in world.deciding.of_custodian(world.bank, limit=9, before=None).requests
    ] == [own.digest]
    assert world.deciding.of_custodian(other, limit=9, before=None).requests == ()
    for each in (world.bank, other):
        with pytest.raises(NotFoundError):
            world.deciding.get_for_custodian(each, asked.digest)
    assert world.seen_by_asker(asked).state is SeenState.PENDING


def test_requests_that_are_left_out_end_no_list(world: World) -> None:
    """A page may be empty where a custodian sees none of what was read, and the next one is not."""
    world.store(OTHER_ASSET, custodian="trust")
    wanted = []
    for number in range(6):
        hidden = about_two(world, nonce=f"{number:064x}")
        shown = world.request(nonce=f"{number + 100:064x}")
        for each in (hidden, shown, *([hidden] * 2)):
            world.asking.submit(world.issuer, each.data)
        wanted.append(shown.digest)
    found, before = [], None
    sizes = []
    while True:
        page = world.deciding.of_custodian(world.bank, limit=2, before=before)
        found += [each.digest for each in page.requests]
        sizes.append(len(page.requests))
        before = page.before
        if before is None:
            break
    assert found == wanted[::-1]
    assert max(sizes) <= 2


def test_the_client_refuses_documents_that_the_vault_exchanged(world: World) -> None:
    """Each alias has the asset that the request gives it, or there is nothing to sign."""
    world.store(OTHER_ASSET)
    asked = about_two(world)
    world.asking.submit(world.issuer, asked.data)
    _, candidate, _ = world.deciding.get_for_custodian(world.bank, asked.digest)
    assert candidate is not None
    right = {alias: each.attestation for alias, each in candidate.stored.items()}
    bank = world.sites.identity("cn", "custodian", "bank")
    for offered, reason in (
        ({"a": right["b"], "b": right["a"]}, "another asset"),
        ({"a": right["a"], "b": right["a"]}, "another asset"),
        ({"a": right["a"]}, "no document for b"),
    ):
        with pytest.raises(CrossproofError, match=reason):
            consent.prepare(
                bank,
                bank.sites(),
                {bundles.schema().digest: bundles.schema()},
                digest=asked.digest,
                request=asked.data,
                asker=world.issuer.uri,
                attestations=offered,
                sets=[],
                outlooks={},
                now=NOW,
            )


def test_a_grant_with_its_documents_exchanged_is_refused(world: World) -> None:
    """The vault compares each alias's document with the asset that the request gives it."""
    world.store(OTHER_ASSET)
    asked = about_two(world)
    world.asking.submit(world.issuer, asked.data)
    _, candidate, _ = world.deciding.get_for_custodian(world.bank, asked.digest)
    assert candidate is not None
    bank = world.sites.identity("cn", "custodian", "bank")
    one, two = candidate.stored["a"], candidate.stored["b"]
    payload = Grant.build(
        request=asked.digest,
        asker=world.issuer,
        documents=[
            GrantedDocument("a", two.document, two.version, two.attestation_digest),
            GrantedDocument("b", one.document, one.version, one.attestation_digest),
        ],
        sets=[],
        not_before=NOW,
        bundle_expires=NOW + DAY,
        granted_at=NOW,
        expires=NOW + DAY,
    )
    signed = sign(PayloadType.GRANT, payload, bank.signing_key)
    with pytest.raises(GrantError, match="another asset"):
        world.answering.approve(world.bank, asked.digest, signed, "basis")
