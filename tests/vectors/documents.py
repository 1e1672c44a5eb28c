"""The vectors about several documents by alias; made as those of `generate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from support import books
from support import bundles as world
from support.bundles import DAY, NOW

from proofs.grant import GrantedDocument

SUM = ("a.debt + b.debt <= a.valuation",)
DOUBLED = ("a.valuation + b.valuation >= 1600 万元",)
RATE = "at 1.0832 HKD/CNY (HKMA, 2026-06-30)"


def summed(*facts: str) -> books.Books:
    return books.books(facts or SUM)


def twice(**changes: object) -> bytes:
    """The first document once more in the second's place, consent and all."""
    found = summed(*DOUBLED)
    again = books.attestation("a", **changes)
    granted = tuple(
        GrantedDocument(alias, f"{place:032x}", 2, "00" * 32)
        for place, alias in enumerate(found.attestations)
    )
    moved = replace(found, attestations=dict(found.attestations) | {"b": again}, granted=granted)
    return moved.forge(opened=dict(books.witnesses()) | {"b": books.witnesses()["a"]})


def unlike(text: str, proven: str) -> bytes:
    """A text beside the proof of another; request and consent are for the text."""
    return summed(text).forge(proven=(proven,))


def regranted(place: int, **changes: object) -> bytes:
    found = summed()
    granted = [
        GrantedDocument(alias, each.document, each.version, each.digest)
        for alias, each in (
            (alias, world.Attestation.parse(data)) for alias, data in found.attestations.items()
        )
    ]
    granted[place] = replace(granted[place], **changes)  # type: ignore[arg-type]
    return replace(found, granted=tuple(granted)).forge()


def reattested(alias: str, **changes: object) -> bytes:
    found = summed()
    other = dict(found.attestations) | {alias: books.attestation(alias, **changes)}
    return replace(found, attestations=other).forge()


# The same for bundles about several documents, under the trust file `books`.
SEVERAL: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("three-documents", "none", lambda: books.good()[1], "Verified"),
    ("sum-of-two", "none", lambda: summed().build(), "Verified"),
    (
        "sum-with-rate",
        "none",
        lambda: summed(f"a.debt <= 5000000 HKD {RATE}").build(),
        "Verified",
    ),
    (
        "documents-signed-by-two",
        "one of the documents attested by another key",
        lambda: books.books(SUM, signers={"plant": world.STRANGER}).forge(),
        "TrustError",
    ),
    (
        "last-document-expired",
        "facts of several documents, one of them no longer attested",
        lambda: reattested("plant", valid_until=NOW),
        "BindingError",
    ),
    (
        "last-document-out-of-scope",
        "one of the documents about an asset that the custodian may not vouch for",
        lambda: reattested("plant", asset="cn-swap-1"),
        "TrustError",
    ),
    (
        "bundle-outlives-last-document",
        "a bundle that lives longer than one of its attestations",
        lambda: reattested("plant", valid_until=NOW + 14 * DAY),
        "ContextError",
    ),
    (
        "document-twice",
        "one document under two aliases, its value counted twice",
        lambda: twice(asset="cn-pv-0102"),
        "BindingError",
    ),
    (
        "document-in-two-versions",
        "two versions of one document, its value counted twice",
        lambda: twice(asset="cn-pv-0102", version=3),
        "BindingError",
    ),
    (
        "schema-that-nobody-follows",
        "a schema carried along",
        lambda: summed().forge(schemas=(books.book(), world.schema(), books.book("third"))),
        "BindingError",
    ),
    (
        "schema-left-out",
        "the schema of one of the documents left out",
        lambda: summed().forge(schemas=(books.book(),)),
        "BindingError",
    ),
    (
        "grant-other-last-attestation",
        "consent to another version of one of the documents",
        lambda: regranted(2, attestation="00" * 32),
        "GrantError",
    ),
    (
        "grant-other-last-alias",
        "consent to one of the documents under another name",
        lambda: regranted(2, alias="zzz"),
        "GrantError",
    ),
    (
        "sum-other-factor",
        "a sentence with a smaller factor than was proven",
        lambda: unlike("a.debt * 10 <= a.valuation * 5", "a.debt * 10 <= a.valuation * 6"),
        "ProofError",
    ),
    (
        "sum-other-amount",
        "a sentence with a smaller amount than was proven",
        lambda: unlike("a.debt - b.debt <= 400 万元", "a.debt - b.debt <= 600 万元"),
        "ProofError",
    ),
    (
        "sum-personal",
        "a sum of personal values",
        lambda: summed("a.age + b.age >= 50").forge(),
        "FactError",
    ),
    (
        "sum-opened",
        "two inequalities that leave one value of a difference",
        lambda: summed(
            "a.debt - b.debt <= 4250000.5 CNY", "a.debt - b.debt >= 4250000.5 CNY"
        ).forge(),
        "FactError",
    ),
    (
        "transcript-documents-exchanged",
        "a proof whose transcript held two documents in each other's place",
        lambda: summed().forge(
            alter=lambda c: replace(
                c,
                documents=(
                    replace(c.documents[0], attestation=c.documents[1].attestation),
                    replace(c.documents[1], attestation=c.documents[0].attestation),
                    c.documents[2],
                ),
            )
        ),
        "ProofError",
    ),
    (
        "transcript-commitments-exchanged",
        "a proof whose transcript held two commitments in each other's place",
        lambda: summed().forge(
            alter=lambda c: replace(
                c,
                commitments=(
                    (c.commitments[0][0], c.commitments[1][1]),
                    (c.commitments[1][0], c.commitments[0][1]),
                    *c.commitments[2:],
                ),
            )
        ),
        "ProofError",
    ),
]
