"""The vectors about selections: lists, sums, parts and manifests; made as those of `generate`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from support.bent_lists import bent, exchange, granted, repeat
from support.bundles import AUTHORITY, DAY, NOW, STRANGER, private_key, root_cid
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

from proofs import envelope
from proofs.attestation import AsOf
from proofs.claims import ListClaims
from proofs.envelope import PayloadType
from proofs.manifest import ManifestFile
from proofs.range_proof import proof_length

Tree = dict[str, Any]
EACH = ("each fuel in {SOLAR, WIND}",)
ALL = ("capacity", "annual_yield", "fuel", "owner")
FIRST_DIGITS = 8
"""Base-16 digits of the sum of 28 capacities of at most 10^8 kW."""


def over(count: int, *facts: str) -> bytes:
    """Honest facts over so many documents."""
    return portfolio(count, facts=facts).build()


def altered(alter: Callable[[ListClaims], ListClaims]) -> bytes:
    """A proof whose transcripts began with something else."""
    return portfolio(3, facts=EACH).forge(alter=alter)


def expiring(claims: ListClaims) -> ListClaims:
    """Claims of a bundle that ends earlier."""
    return replace(claims, context=replace(claims.context, expires=NOW + DAY))


def several_parts() -> bytes:
    """A sum, and two parts of 14 rows."""
    bounds = [f"each annual_yield >= 0.0{digit}" for digit in range(1, 10)]
    return over(28, "sum(capacity) >= 100 MW", "each capacity >= 1 MW", *bounds)


def one_bad(**bad: object) -> bytes:
    """Two good attestations and another."""
    return granted([*holdings(2), holding(3, **bad)]).forge()


def with_manifest(file: bytes, **changes: object) -> bytes:
    """A bundle over this manifest of three documents."""
    return portfolio(3, manifest=file, **changes).forge()


def of_manifest(**changes: object) -> bytes:
    """A bundle over a manifest that was made differently."""
    return with_manifest(manifest_file(holdings(3), **changes))  # type: ignore[arg-type]


def as_grant() -> bytes:
    """A manifest's payload, signed as a grant."""
    file = ManifestFile.parse(manifest_file(holdings(3)))
    signed = envelope.sign(PayloadType.GRANT, file.envelope.unverified_payload, private_key(1))
    return with_manifest(replace(file, envelope=envelope.Envelope.parse(signed)).encode())


def expired_manifest() -> bytes:
    """One of its documents is no longer attested."""
    rows = (*holdings(2), holding(3, attested_at=NOW - 9 * DAY, valid_until=NOW - DAY))
    return Portfolio(rows, manifest=manifest_file(rows, signed_at=NOW - 2 * DAY)).forge()


def out_of_scope_manifest() -> bytes:
    """One of its assets is not the custodian's to speak of."""
    rows = (*holdings(2), holding(3, asset="cn-wind-1"))
    return Portfolio(rows, manifest=manifest_file(rows)).forge()


def another_manifest() -> bytes:
    """The grant is for serial 3, serial 4 stands in the bundle."""
    found = portfolio(3, manifest=manifest_file(holdings(3)))
    tree = json.loads(replace(found, manifest=manifest_file(holdings(3), serial=4)).forge())
    return dumped(tree | {"grants": [json.loads(found.grant)]})


def same_commitments() -> bytes:
    """Under an attestation with another expiry than the proof is about."""
    real = holding(1)
    changes = {"commitments": real.attestation.commitments, "asset_part": root_cid(9)}
    other = Holding(holding(1, **changes).attestation, real.witness)
    honest = granted([real, holding(2)])
    stale = granted([other, holding(2)])
    return stale.forge(alter=lambda claims: replace(claims, listing=honest.listing_digest))


def as_of_two_years() -> bytes:
    """A list whose documents are of different days."""
    old = holding(900, as_of=AsOf(date(2025, 1, 1), date(2025, 12, 31)))
    return Portfolio((*holdings(2), old)).build()


def dumped(tree: Tree) -> bytes:
    """Canonical again."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


LISTS: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("list-every-fact", "none", lambda: full(6).build(), "Verified"),
    (
        "list-manifest",
        "none",
        lambda: full(6, manifest=manifest_file(holdings(6), ALL), chosen_by="manifest").build(),
        "Verified",
    ),
    ("list-by-request", "none", lambda: full(4, chosen_by="request").build(), "Verified"),
    ("list-of-one", "none", lambda: over(1, "sum(capacity) >= 40 MW"), "Verified"),
    (
        "list-sums",
        "none",
        lambda: over(
            5,
            "sum(capacity) >= 200 MW",
            "sum(capacity) * 2 <= 500 MW + count() * 0.5 MW",
            "sum(annual_yield) >= count() * 0.09",
            "abs(sum(capacity) - 200 MW) * 3 <= sum(capacity)",
            "count() <= 5",
        ),
        "Verified",
    ),
    (
        "list-each",
        "none",
        lambda: over(
            3,
            "each capacity in 40..41 MW",
            "each capacity * 2 >= 80 MW",
            "each commissioned <= 2021-06-18",
            "each province = Guangdong",
            "each fuel in {SOLAR, WIND}",
        ),
        "Verified",
    ),
    ("list-of-several-parts", "none", several_parts, "Verified"),
    ("list-of-different-days", "none", as_of_two_years, "Verified"),
    (
        "list-asset-twice",
        "two documents about one asset, which would count twice",
        lambda: granted([holding(1), holding(2, asset="cn-pv-00001")]).forge(),
        "BindingError",
    ),
    (
        "list-document-twice",
        "one attestation twice",
        lambda: granted([holding(1)] * 2).forge(),
        "BindingError",
    ),
    (
        "list-versions",
        "two versions of one document",
        lambda: granted([holding(1), holding(1, version=2, asset="cn-pv-00009")]).forge(),
        "BindingError",
    ),
    (
        "list-order",
        "the documents in another order",
        lambda: granted(list(holdings(3))[::-1]).forge(),
        "BindingError",
    ),
    (
        "list-shorter",
        "a document less than was granted",
        lambda: portfolio(3).forge(rows=holdings(2)),
        "GrantError",
    ),
    (
        "list-longer",
        "a document more than was granted",
        lambda: portfolio(3).forge(rows=holdings(4)),
        "GrantError",
    ),
    (
        "list-other-attestation",
        "the same commitments under another attestation",
        same_commitments,
        "ProofError",
    ),
    (
        "list-one-expired",
        "one of the documents no longer attested",
        lambda: one_bad(attested_at=NOW - 20 * DAY, valid_until=NOW - DAY),
        "BindingError",
    ),
    (
        "list-one-future",
        "one of the documents attested tomorrow",
        lambda: one_bad(attested_at=NOW + DAY),
        "BindingError",
    ),
    (
        "list-one-outlived",
        "the bundle outlives one of the attestations",
        lambda: one_bad(valid_until=NOW + 5 * DAY),
        "ContextError",
    ),
    (
        "list-one-before-the-key",
        "one of the documents signed before the key was in force",
        lambda: one_bad(attested_at=NOW - 400 * DAY),
        "TrustError",
    ),
    (
        "list-one-out-of-scope",
        "one asset that the custodian may not speak of",
        lambda: one_bad(asset="cn-wind-1"),
        "TrustError",
    ),
    (
        "list-one-other-key",
        "one of the documents signed by another key",
        lambda: granted([*holdings(2), replace(holding(3), signer=STRANGER)]).forge(),
        "SignatureError",
    ),
    (
        "list-left-out-miscounted",
        "none left out, says the proof",
        lambda: full(4).forge(left_out=(0,) * 6),
        "ProofError",
    ),
    (
        "list-opening-in-disguise",
        "two sums that leave one value",
        lambda: granted_facts("sum(annual_yield) <= 0.2736", "sum(annual_yield) >= 0.2736"),
        "FactError",
    ),
    (
        "list-count-alone",
        "nothing is proven",
        lambda: granted_facts("count() >= 1"),
        "FactError",
    ),
    *(
        (
            f"list-transcript-{name}",
            f"a proof whose transcript held another {name}",
            forge,
            "ProofError",
        )
        for name, forge in (
            ("count", lambda: altered(lambda c: replace(c, count=c.count + 1))),
            ("list", lambda: altered(lambda c: replace(c, listing="00" * 32))),
            ("kind of evidence", lambda: altered(lambda c: replace(c, manifest="00" * 32))),
            (
                "expiry",
                lambda: altered(
                    lambda c: replace(c, context=replace(c.context, expires=NOW + DAY))
                ),
            ),
            ("list of facts", lambda: altered(lambda c: replace(c, facts=()))),
        )
    ),
    (
        "manifest-other-key",
        "a manifest by nobody known",
        lambda: of_manifest(signer=STRANGER),
        "TrustError",
    ),
    (
        "manifest-by-authority",
        "a manifest by a set authority",
        lambda: of_manifest(signer=AUTHORITY),
        "TrustError",
    ),
    (
        "manifest-future",
        "a manifest signed tomorrow",
        lambda: of_manifest(signed_at=NOW + DAY),
        "BindingError",
    ),
    ("manifest-expired", "one of its documents has expired", expired_manifest, "BindingError"),
    ("manifest-out-of-scope", "one of its assets is", out_of_scope_manifest, "TrustError"),
    ("manifest-as-grant", "a manifest signed as a grant", as_grant, "SignatureError"),
    (
        "manifest-asset-twice",
        "signed rows that name an asset twice",
        lambda: with_manifest(bent(manifest_file(holdings(3)), repeat, sign=True)),
        "BindingError",
    ),
    (
        "manifest-rows-exchanged",
        "a row with another's commitment, under the old signature",
        lambda: exchanged(),
        "BindingError",
    ),
    ("manifest-not-granted", "another serial than was granted", another_manifest, "GrantError"),
    (
        "manifest-missing",
        "attestations where a manifest was asked for",
        lambda: portfolio(3, chosen_by="manifest").forge(),
        "BindingError",
    ),
    (
        "manifest-other-spv",
        "a manifest of another SPV",
        lambda: with_manifest(manifest_file(holdings(3), spv="Other"), chosen_by="manifest"),
        "BindingError",
    ),
    (
        "manifest-other-period",
        "a manifest of another period",
        lambda: with_manifest(
            manifest_file(holdings(3), period=(PERIOD[0], date(2026, 12, 31))),
            chosen_by="manifest",
        ),
        "BindingError",
    ),
]


def granted_facts(*facts: str) -> bytes:
    """Facts that may not be asked, granted and half proven all the same."""
    found = portfolio(3, facts=facts)
    proven = portfolio(3, facts=("sum(capacity) >= 1 MW",))
    tree = json.loads(proven.build())
    context = replace(found.context, request=found.request.digest).to_json()
    return dumped(
        tree | {"facts": list(facts), "grants": [json.loads(found.grant)], "context": context}
    )


def exchanged() -> bytes:
    """A bundle whose rows are not those of the manifest."""
    file = manifest_file(holdings(3))
    tree = json.loads(portfolio(3, manifest=file).build())
    rows = ManifestFile.parse(bent(file, exchange, sign=False)).rows
    tree["selection"]["rows"] = base64.b64encode(rows).decode()
    return dumped(tree)


def add_lists(
    bundles: Tree, add: Callable[..., None], splices: Callable[[bytes, bytes], list[Tree]]
) -> None:
    """The vectors of `LISTS`, and those made of the first two by a change of the file."""
    for name, attack, _, expect in LISTS:
        add(name, attack, expect, bundle=name)
    for name, attack, expect, base, change in _changes():
        data = base64.b64decode(bundles[base])
        tree = json.loads(data)
        change(tree)
        add(name, attack, expect, bundle=base, splices=splices(data, dumped(tree)))


def _changes() -> list[tuple[str, str, str, str, Callable[[Tree], None]]]:
    def select(**fields: object) -> Callable[[Tree], None]:
        return lambda tree: tree["selection"].update(fields)

    def absent(tree: Tree) -> None:
        tree["facts"][-1] = tree["facts"][-1].removesuffix(" where present")

    def spare(tree: Tree) -> None:
        tree["documents"] = [{"alias": "a", "envelope": tree["grants"][0], "kind": "attestation"}]

    def reorder(tree: Tree) -> None:
        tree["selection"]["attested"].reverse()

    def cut_rows(tree: Tree) -> None:
        rows = base64.b64decode(tree["selection"]["rows"])
        tree["selection"]["rows"] = base64.b64encode(rows[:-48]).decode()

    def parts(arrange: Callable[[bytes, bytes, bytes], bytes]) -> Callable[[Tree], None]:
        def change(tree: Tree) -> None:
            proof = base64.b64decode(tree["proof"])
            head = proof_length(1, digits=FIRST_DIGITS)
            size = (len(proof) - head) // 2
            pieces = proof[:head], proof[head : head + size], proof[head + size :]
            tree["proof"] = base64.b64encode(arrange(*pieces)).decode()

        return change

    one, two = "list-every-fact", "list-manifest"
    return [
        (
            "selection-rewritten",
            "another chose",
            "GrantError",
            one,
            select(chosen_by="request"),
        ),
        ("selection-nobody", "chosen by nobody", "EncodingError", one, select(chosen_by="nobody")),
        ("selection-empty", "no document", "EncodingError", one, select(attested=[])),
        ("selection-unknown-field", "one more field", "EncodingError", one, select(z=1)),
        ("selection-spv", "an SPV without a manifest", "EncodingError", one, select(spv="Other")),
        ("selection-and-documents", "both at once", "EncodingError", one, spare),
        ("selection-reversed", "the list reversed", "BindingError", one, reorder),
        ("selection-absence-hidden", "`where present` cut off", "GrantError", one, absent),
        ("selection-other-key", "another key id", "TrustError", one, select(keyid="00" * 32)),
        ("rows-cut-off", "the last commitment missing", "BindingError", two, cut_rows),
        (
            "parts-moved",
            "two parts in each other's place",
            "ProofError",
            "list-of-several-parts",
            parts(lambda head, one, two: head + two + one),
        ),
        (
            "part-in-the-place-of-two",
            "one part in the place of two",
            "ProofError",
            "list-of-several-parts",
            parts(lambda head, one, two: head + one + one),
        ),
        (
            "part-cut-off",
            "the last part missing",
            "EncodingError",
            "list-of-several-parts",
            parts(lambda head, one, two: head + one),
        ),
        (
            "part-repeated",
            "the last part once more",
            "EncodingError",
            "list-of-several-parts",
            parts(lambda head, one, two: head + one + two + two),
        ),
        (
            "manifest-by-prover",
            "another chose",
            "EncodingError",
            two,
            select(chosen_by="prover"),
        ),
    ]
