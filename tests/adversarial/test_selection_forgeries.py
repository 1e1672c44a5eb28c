"""Forgeries about selections: lists that are no list, parts moved, rows exchanged, manifests bent.

Where a dishonest prover is needed, `Portfolio.forge` makes proofs that are right for what they are
made about, so that nothing but the check that a test is about can refuse them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from support.bent_lists import bent, exchange, granted, repeat
from support.bundles import (
    AUTHORITY,
    CUSTODIAN,
    DAY,
    NOW,
    STRANGER,
    named_set,
    private_key,
    root_cid,
    schema,
    signer_entry,
    trust_text,
)
from support.checks import changed
from support.portfolio import (
    PERIOD,
    Holding,
    Portfolio,
    full,
    holding,
    holdings,
    manifest_file,
    portfolio,
)

from proofs import canonical, envelope, list_statement
from proofs.claims import ListClaims
from proofs.envelope import PayloadType
from proofs.errors import (
    BindingError,
    CrossproofError,
    EncodingError,
    GrantError,
    ProofError,
    SignatureError,
    TrustError,
)
from proofs.manifest import ManifestFile
from proofs.trust import Trust, entry

EACH = ("each fuel in {SOLAR, WIND}",)


def refused(
    error: type[CrossproofError],
    message: str,
    found: Portfolio,
    data: bytes,
    pinned: Trust | None = None,
) -> None:
    with pytest.raises(error, match=message):
        found.verify(data, pinned)


def test_an_honest_forger_is_believed() -> None:
    """What follows is refused for what is wrong in it, not for how it is made."""
    found = full(3)
    assert found.verify(found.forge()).facts == found.facts


# --- the list -----------------------------------------------------------------------------------


def test_one_asset_twice() -> None:
    """Two documents about one plant, and its capacity would count twice."""
    rows = [holding(1), holding(2, asset="cn-pv-00001")]
    found = granted(rows)
    refused(BindingError, "asset cn-pv-00001 stands twice", found, found.forge())


def test_one_document_twice() -> None:
    """Byte for byte the same attestation."""
    rows = [holding(1)] * 2
    found = granted(rows)
    refused(BindingError, "document .* stands twice", found, found.forge())


def test_two_versions_of_a_document() -> None:
    """They are one document, corrected."""
    rows = [holding(1), holding(1, version=2, asset="cn-pv-00009")]
    found = granted(rows)
    refused(BindingError, "document .* stands twice", found, found.forge())


def test_another_order() -> None:
    """One list has one spelling."""
    rows = list(holdings(3))[::-1]
    found = granted(rows)
    refused(BindingError, "order of its document ids", found, found.forge())


def test_a_document_left_out_or_put_in() -> None:
    """The custodian granted exactly this list."""
    found = portfolio(3)
    refused(GrantError, "another list", found, found.forge(rows=holdings(2)))
    refused(GrantError, "another list", found, found.forge(rows=holdings(4)))


def test_the_same_commitments_under_another_attestation() -> None:
    """Another day, document part and expiry under values that were proven: the proof breaks."""
    real = holding(1)
    other = Holding(
        holding(
            1,
            commitments=real.attestation.commitments,
            asset_part=root_cid(9),
            valid_until=NOW + 300 * DAY,
        ).attestation,
        real.witness,
    )
    rows = [other, holding(2)]
    honest = granted([real, *rows[1:]])
    stale = granted(rows)
    data = stale.forge(alter=lambda claims: replace(claims, listing=honest.listing_digest))
    refused(ProofError, None, stale, data)
    assert stale.verify(stale.forge())


def test_rows_exchanged_after_proving() -> None:
    """The sum is the same; which document is which is part of what is proven."""
    found = portfolio(2, facts=EACH)
    first, second = found.documents
    swapped = [
        replace(
            first,
            attestation=holding(1, commitments=second.attestation.commitments).attestation,
        ),
        replace(
            second,
            attestation=holding(2, commitments=first.attestation.commitments).attestation,
        ),
    ]
    stale = granted(swapped, facts=EACH)
    data = changed(
        stale.forge(),
        lambda tree: tree.update(proof=json.loads(found.build())["proof"]),
    )
    refused(ProofError, None, stale, data)


# --- parts --------------------------------------------------------------------------------------


@pytest.fixture
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a part, for prover and verifier alike."""
    monkeypatch.setattr(list_statement, "PART_ROWS", 2)


@pytest.mark.usefixtures("short_parts")
@pytest.mark.parametrize(
    ("reorder", "error"),
    [
        (lambda proofs: proofs[::-1], ProofError),
        (lambda proofs: [proofs[0], proofs[0], *proofs[2:]], ProofError),
        (lambda proofs: [proofs[1], *proofs[1:]], ProofError),
        (lambda proofs: proofs[:-1], EncodingError),
        (lambda proofs: [*proofs, proofs[0]], EncodingError),
    ],
)
def test_parts_moved_repeated_or_cut_off(
    reorder: Callable[[list[bytes]], list[bytes]], error: type[CrossproofError]
) -> None:
    """Each part is about its rows, in its place."""
    found = portfolio(6, facts=EACH)
    assert found.verify(found.forge())
    refused(error, None, found, found.forge(reorder=reorder))


@pytest.mark.usefixtures("short_parts")
def test_a_part_of_another_bundle() -> None:
    """Of the same rows and facts, for another request."""
    found, other = portfolio(4, facts=EACH), portfolio(4, facts=EACH, nonce="cd" * 32)
    pieces: list[bytes] = []

    def keep(proofs: list[bytes]) -> list[bytes]:
        pieces.extend(proofs)
        return proofs

    assert other.verify(other.forge(reorder=keep))
    data = found.forge(reorder=lambda proofs: [pieces[0], *proofs[1:]])
    refused(ProofError, None, found, data)


@pytest.mark.parametrize(
    "alter",
    [
        lambda claims: replace(claims, count=claims.count + 1),
        lambda claims: replace(claims, listing="00" * 32),
        lambda claims: replace(claims, signer="00" * 32),
        lambda claims: replace(claims, schema="00" * 32),
        lambda claims: replace(claims, manifest="00" * 32),
        lambda claims: replace(claims, grant="00" * 32),
        lambda claims: replace(claims, grant_signer="00" * 32),
        lambda claims: replace(claims, facts=("count() >= 1", *claims.facts)),
        lambda claims: replace(claims, sets=claims.sets[:-1]),
        lambda claims: replace(claims, statement=claims.statement + b"\0"),
        lambda claims: replace(claims, commitments=claims.commitments[:-1]),
        lambda claims: replace(
            claims, context=replace(claims.context, expires=claims.context.expires + DAY)
        ),
    ],
    ids=[
        "count",
        "listing",
        "signer",
        "schema",
        "manifest",
        "grant",
        "grant_signer",
        "facts",
        "sets",
        "statement",
        "commitments",
        "context",
    ],
)
def test_every_claim_stands_in_every_part(alter: Callable[[ListClaims], ListClaims]) -> None:
    """A prover that leaves one out, or puts another in, proves something else."""
    found = full(3)
    refused(ProofError, None, found, found.forge(alter=alter))


def test_how_many_were_left_out_is_proven() -> None:
    """The number that the verdict shows cannot be chosen."""
    found = full(3)
    refused(ProofError, None, found, found.forge(left_out=(0, 0, 0, 0, 0, 0)))


def test_expiry_moved() -> None:
    """The context is in the transcript of every part."""
    found = portfolio(3)

    def later(tree: dict[str, object]) -> None:
        moved = replace(found.context, expires=found.context.expires + DAY)
        tree["context"] = moved.to_json()

    refused(ProofError, None, found, changed(found.build(), later))


# --- facts --------------------------------------------------------------------------------------


def test_absence_cannot_be_hidden() -> None:
    """Without `where present`, a fact proven about some reads as one about all."""
    used = (named_set("sanctions"),)
    about_some = "each owner not in @sanctions where present"
    found = Portfolio(holdings(3), ("each owner not in @sanctions",), used=used)
    refused(GrantError, "other facts", found, found.forge(facts=(about_some,)))
    data = changed(
        found.forge(facts=(about_some,)),
        lambda tree: tree.update(facts=["each owner not in @sanctions"]),
    )
    refused(BindingError, "absent in 1 of 3", found, data)


def test_facts_cut_off() -> None:
    """With their parts: the grant is for all of them."""
    found = portfolio(3, facts=("sum(capacity) >= 100 MW", *EACH))
    refused(GrantError, "other facts", found, found.forge(facts=found.facts[:1]))


def test_a_false_count() -> None:
    """Whoever reads the list counts it."""
    found = portfolio(3, facts=("count() >= 9", "sum(capacity) >= 1 MW"))
    data = changed(
        found.forge(facts=("count() >= 3", "sum(capacity) >= 1 MW")),
        lambda tree: tree.update(facts=list(found.facts)),
    )
    refused(BindingError, "there are 3 documents", found, data)


# --- attestations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"attested_at": NOW + DAY}, BindingError, "in the future"),
        (
            {"attested_at": NOW - 20 * DAY, "valid_until": NOW - DAY},
            BindingError,
            "expired",
        ),
        ({"attested_at": NOW - 400 * DAY}, TrustError, "not valid when it signed"),
        ({"asset": "cn-wind-1"}, TrustError, "cn-wind-1"),
        ({"valid_until": NOW + 5 * DAY}, CrossproofError, "outlives"),
    ],
)
def test_one_bad_attestation_of_many(
    bad: dict[str, object], error: type[CrossproofError], message: str
) -> None:
    """Each is checked as a single one would be."""
    rows = [*holdings(2), holding(3, **bad)]
    found = granted(rows)
    refused(error, message, found, found.forge())


def test_another_signature_among_many() -> None:
    """All are by the one key that is named."""
    rows = [*holdings(2), replace(holding(3), signer=STRANGER)]
    found = granted(rows)
    refused(SignatureError, "does not verify", found, found.forge())


# --- manifests ----------------------------------------------------------------------------------


def over(manifest: bytes, **changes: object) -> Portfolio:
    return portfolio(3, manifest=manifest, **changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"signer": STRANGER}, TrustError, None),
        ({"signer": AUTHORITY}, TrustError, None),
        ({"signed_at": NOW + DAY}, BindingError, "signed in the future"),
    ],
)
def test_a_manifest_by_the_wrong_key_or_at_the_wrong_time(
    changes: dict[str, object], error: type[CrossproofError], message: str
) -> None:
    """By the custodian that attested, now."""
    found = over(manifest_file(holdings(3), **changes))  # type: ignore[arg-type]
    refused(error, message, found, found.forge())


def test_a_manifest_of_an_expired_document() -> None:
    """The earliest expiry counts."""
    rows = (*holdings(2), holding(3, attested_at=NOW - 9 * DAY, valid_until=NOW - DAY))
    found = Portfolio(rows, manifest=manifest_file(rows, signed_at=NOW - 2 * DAY))
    refused(BindingError, "expired", found, found.forge())


def test_a_manifest_about_an_asset_out_of_scope() -> None:
    """The signer may speak of each of its assets, or of none."""
    rows = (*holdings(2), holding(3, asset="cn-wind-1"))
    found = Portfolio(rows, manifest=manifest_file(rows))
    refused(TrustError, "cn-wind-1", found, found.forge())


def test_a_manifest_signed_when_the_key_was_not_valid() -> None:
    """Neither it nor one of its attestations."""
    found = over(manifest_file(holdings(3)))
    fields = signer_entry(CUSTODIAN) | {"valid_from": canonical.format_instant(NOW - DAY / 2)}
    scope = {"schemas": [schema().digest], "assets": ["cn-pv-*"]}
    text = trust_text().split("[[authority]]", 1)[1]
    pinned = Trust.parse((entry("custodian", fields | scope) + "\n[[authority]]" + text).encode())
    refused(TrustError, "not valid when it signed", found, found.forge(), pinned)


def test_rows_that_were_not_signed() -> None:
    """The rows stand beside the payload, bound by their digest."""
    file = manifest_file(holdings(3))
    found = over(file)
    other = over(bent(file, exchange, sign=False))
    data = changed(
        found.build(),
        lambda tree: tree["selection"].update(  # type: ignore[attr-defined]
            rows=json.loads(other.manifest or b"")["rows"]
        ),
    )
    refused(BindingError, "not those of the manifest", found, data)


def test_signed_rows_that_name_an_asset_twice() -> None:
    """Not even the custodian can make one plant count twice."""
    found = over(bent(manifest_file(holdings(3)), repeat, sign=True))
    refused(BindingError, "stands twice", found, found.forge())


def test_a_manifest_passed_off_as_another_kind() -> None:
    """A signature over the same bytes, made for something else."""
    file = ManifestFile.parse(manifest_file(holdings(3)))
    payload = file.envelope.unverified_payload
    signed = envelope.sign(PayloadType.GRANT, payload, private_key(CUSTODIAN))
    found = over(replace(file, envelope=envelope.Envelope.parse(signed)).encode())
    refused(SignatureError, "expected .*portfolio", found, found.forge())


def test_a_manifest_that_was_not_granted() -> None:
    """The grant names the one that may stand for the attestations."""
    found = over(manifest_file(holdings(3)))
    other = manifest_file(holdings(3), serial=4)
    data = replace(found, manifest=other).forge()
    stolen = changed(data, lambda tree: tree.update(grants=[json.loads(found.grant)]))
    refused(GrantError, "another list", found, stolen)


def test_attestations_where_a_manifest_was_asked_for() -> None:
    """Or a list that somebody chose would pass for all of an SPV's."""
    found = portfolio(3, chosen_by="manifest")
    refused(BindingError, "none is there", found, found.forge())


@pytest.mark.parametrize(
    "changes", [{"spv": "Another SPV"}, {"period": (PERIOD[0], date(2026, 12, 31))}]
)
def test_a_manifest_of_another_spv_or_period(changes: dict[str, object]) -> None:
    """Last year's list, or a sister's."""
    file = manifest_file(holdings(3), **changes)  # type: ignore[arg-type]
    found = over(file, chosen_by="manifest")
    refused(BindingError, "another SPV or period", found, found.forge())


def test_who_chose_the_list_cannot_be_rewritten() -> None:
    """It is part of the request that was granted."""
    found = portfolio(3)
    data = changed(
        found.build(),
        lambda tree: tree["selection"].update(chosen_by="request"),  # type: ignore[attr-defined]
    )
    refused(GrantError, "other facts, asset or context", found, data)


def test_a_list_without_an_asset_that_was_named() -> None:
    """The verifier named four, and three are there."""
    asked = portfolio(4, chosen_by="request")
    fewer = portfolio(3, chosen_by="request")
    refused(CrossproofError, None, asked, fewer.build())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen_by": "nobody"}, "must be one of"),
        ({"spv": "S"}, "with a manifest only"),
        ({"keyid": "00"}, "keyid"),
        ({"attested": []}, "items"),
        ({"attested": [{"payload": "AA==", "sig": "AA=="}]}, "64 bytes"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_malformed_selections_are_refused(change: dict[str, object], message: str) -> None:
    """With our own error, by name."""
    found = portfolio(2)

    def edit(tree: dict[str, object]) -> None:
        tree["selection"].update(change)  # type: ignore[attr-defined]

    refused(EncodingError, message, found, changed(found.build(), edit))
