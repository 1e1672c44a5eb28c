"""Requests about selections at the vault of `support.proof_world`: plants, lists, grants.

`plants(world, n)` stores `cn-pv-1000` and so on; a list is made of stored versions, as a client
would make it of its attestations.
"""

from __future__ import annotations

from collections.abc import Sequence

from proofs.attestation import Attestation
from proofs.envelope import Envelope
from proofs.facts import FactList
from proofs.request import Request
from proofs.selection import Selection
from support import bundles
from support.proof_world import NOW, World
from vault.app.selections import GivenList
from vault.client import pinned_schemas
from vault.client.attestations import OwnAttestation
from vault.client.consent_list import ListConsent, grant_list, prepare_list
from vault.client.own_manifest import OwnManifest
from vault.client.session import Session
from vault.model import StoredVersion

DAY = bundles.DAY
CAPACITIES = ("20.000", "30.500", "40.250")


def plants(
    world: World, count: int, *, custodian: str = "bank", **values: object
) -> list[StoredVersion]:
    """So many plants of a custodian, of 20, 30.5 and 40.25 MW in turn."""
    return [
        world.store(
            f"cn-pv-{1000 + number}",
            custodian=custodian,
            **({"capacity": CAPACITIES[number % 3]} | values),
        )
        for number in range(count)
    ]


def asked(
    world: World,
    facts: Sequence[str],
    *,
    assets: Sequence[str] | None = None,
    spv: str | None = None,
    period: object = None,
    exact: bool = False,
    **changes: object,
) -> Request:
    """A request over a selection of the plants' schema; `exact` texts stay as they are."""
    schema = bundles.schema()
    texts = list(facts) if exact else FactList.over(facts, schema).texts
    selection = Selection(
        schema.digest,
        assets=None if assets is None else tuple(assets),
        spv=spv,
        period=period,  # type: ignore[arg-type]
    )
    values: dict[str, object] = {
        "selection": selection,
        "facts": texts,
        "sets": [
            world.named[name].reference
            for name in world.named
            if any(f"@{name}" in each for each in texts)
        ],
        "audience": bundles.AUDIENCE,
        "purpose": bundles.PURPOSE,
        "nonce": "ab" * 32,
        "created": NOW,
        "expires": NOW + DAY,
    }
    return Request.build(**(values | changes))  # type: ignore[arg-type]


def own(stored: StoredVersion) -> OwnAttestation:
    """A stored version as its custodian's client holds it."""
    payload = Envelope.parse(stored.attestation).unverified_payload
    return OwnAttestation(stored.attestation, Attestation.parse(payload), {})


def consent(
    world: World,
    request: Request,
    listed: Sequence[StoredVersion],
    *,
    asker: str | None = None,
    manifest: OwnManifest | None = None,
) -> ListConsent:
    """What the bank's client is ready to sign."""
    identity = world.sites.identity("cn", "custodian", "bank")
    pinned_schemas.pin(identity, bundles.schema().encode())
    return prepare_list(
        Session(identity, identity.sites(), None),  # type: ignore[arg-type]
        [own(each) for each in listed],
        digest=request.digest,
        request=request.data,
        asker=asker or world.issuer.uri,
        manifest=manifest,
        sets=[world.named[each.name].envelope.encode() for each in request.sets],
        now=world.now,
    )


def grant(
    world: World,
    request: Request,
    listed: Sequence[StoredVersion],
    *,
    asker: str | None = None,
    manifest: OwnManifest | None = None,
) -> tuple[bytes, GivenList]:
    """The bank's grant over exactly this list, and what goes with it."""
    prepared = consent(world, request, listed, asker=asker, manifest=manifest)
    identity = world.sites.identity("cn", "custodian", "bank")
    chosen = prepared.chosen
    return (
        grant_list(identity, prepared, now=world.now),
        GivenList(tuple(chosen.attestations), chosen.manifest or b""),
    )


def digests(listed: Sequence[StoredVersion]) -> tuple[str, ...]:
    """Of their attestations."""
    return tuple(each.attestation_digest for each in listed)
