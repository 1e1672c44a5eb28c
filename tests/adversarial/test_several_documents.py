"""One bundle about several documents: what is checked of one is checked of each.

The prover here is dishonest and its proofs are right for what it put together, so a refusal is
due to the check that a test is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import books, bundles
from support.books import ASSETS, FACTS, Books, attestation, check, good, subjects, witnesses
from support.bundles import DAY, NOW, STRANGER

from proofs import canonical
from proofs.arguments import prove_arguments, verify_arguments
from proofs.bundle import Bundle
from proofs.claims import Claims
from proofs.equation import check as check_equations
from proofs.equation import holds
from proofs.errors import (
    BindingError,
    CannotProveError,
    ContextError,
    CrossproofError,
    EncodingError,
    FactError,
    GrantError,
    PolicyError,
    ProofError,
    TrustError,
)
from proofs.facts import FactList
from proofs.grant import GrantedDocument
from proofs.policy import Expectation
from proofs.request import Request, RequestedDocument
from proofs.statement import LinearTerm, compile_facts
from proofs.verify import Verified, verify_bundle

SUM = ("a.debt + b.debt <= a.valuation",)
DOUBLED = ("a.valuation + b.valuation >= 1600 万元",)


def refused(error: type[CrossproofError], message: str, data: bytes) -> None:
    """With this class and reason."""
    with pytest.raises(error, match=message):
        check(data)


def changed(change: Callable[[dict], None]) -> bytes:
    """The good bundle with one change, in canonical form again."""
    tree = json.loads(good()[1])
    change(tree)
    return canonical.dump(tree)


# --- what passes --------------------------------------------------------------------------------


def test_the_honest_bundle_passes_and_names_every_document() -> None:
    """Under its alias, with its schema; one aggregated range argument for all numbers."""
    found, data = good()
    verified = check(data, expectation=found.expectation())
    assert verified.facts == FACTS
    assert [(each.alias, each.attestation.asset) for each in verified.documents] == [
        ("a", ASSETS["a"]),
        ("b", ASSETS["b"]),
        ("plant", ASSETS["plant"]),
    ]
    assert [each.schema for each in verified.documents] == [s for _, s in subjects().schemas]
    assert len(Bundle.parse(data).schemas) == 2


def test_a_forger_without_a_lie_passes() -> None:
    """What the tests below refuse is therefore their lie."""
    assert isinstance(check(books.books().forge()), Verified)


def test_sixty_four_documents() -> None:
    """As many as there may be; one more is none."""
    aliases = [f"d{number:02}" for number in range(65)]
    documents = [RequestedDocument(each, f"cn-pv-{each}", "00" * 32) for each in aliases]
    assert len(books.request(SUM, documents=documents[:64]).documents) == 64
    with pytest.raises(EncodingError, match="documents"):
        books.request(SUM, documents=documents)


def test_false_sums_have_no_proof() -> None:
    """One step beyond the edge, on either side, and a part that is absent."""
    # a.debt = 4,500,000.50 and b.debt = 250,000.00
    for fact in (
        "a.debt + b.debt <= 4750000.49 CNY",
        "a.debt + b.debt >= 4750000.51 CNY",
        "a.debt * 100 <= a.valuation * 56",
        "abs(a.price - a.last_price) * 21 <= a.last_price",
        "plant.capacity >= a.capacity + 1 kW",
        "a.reserve + b.reserve >= 1 HKD",
    ):
        with pytest.raises(CannotProveError):
            books.books((fact,)).build()
    for fact in (
        "a.debt + b.debt <= 4750000.5 CNY",
        "a.debt + b.debt >= 4750000.5 CNY",
        "abs(a.price - a.last_price) * 20 <= a.last_price",
        "plant.capacity >= a.capacity",
        "a.debt <= 5000000 HKD at 1.0832 HKD/CNY (HKMA, 2026-06-30)",
    ):
        assert check(books.books((fact,)).build()).facts == (fact,)


# --- 1 to 4: which documents --------------------------------------------------------------------


def test_documents_out_of_order_or_twice_are_another_spelling() -> None:
    """Sorted by alias, each once: one bundle has one order."""
    refused(EncodingError, "order of their aliases", changed(lambda t: t["documents"].reverse()))
    refused(
        EncodingError,
        "order of their aliases",
        changed(lambda t: t["documents"].append(t["documents"][2])),
    )


def test_a_document_less_or_under_another_alias() -> None:
    """The grant and the request name them all."""
    refused(BindingError, "no document follows", changed(lambda t: t["documents"].pop()))
    refused(GrantError, "other aliases", changed(lambda t: t["documents"].pop(1)))
    refused(GrantError, "other aliases", changed(lambda t: t["documents"][0].update(alias="aa")))


def test_exchanged_documents() -> None:
    """a's attestation as b's, and b's as a's: nothing but their places moved."""

    def exchange(tree: dict) -> None:
        one, two = tree["documents"][:2]
        one["envelope"], two["envelope"] = two["envelope"], one["envelope"]

    refused(GrantError, "another attestation", changed(exchange))


def test_schemas_stand_once_in_order_and_no_others() -> None:
    """Every schema is one that a document follows."""
    book, plant = books.book(), bundles.schema()
    refused(BindingError, "order of their digests", changed(lambda t: t["schemas"].reverse()))
    refused(
        BindingError,
        "order of their digests",
        changed(lambda t: t["schemas"].append(t["schemas"][-1])),
    )
    refused(BindingError, "another schema", books.books().forge(schemas=(book,)))
    third = books.book("third")
    refused(BindingError, "no document follows", books.books().forge(schemas=(book, plant, third)))


def test_every_attestation_is_checked_not_only_the_first() -> None:
    """Signer, time, scope and presence of the last."""
    refused(TrustError, "several keys", books.books(signers={"plant": STRANGER}).forge())
    for changes, error, message in (
        ({"valid_until": NOW}, BindingError, "expired"),
        ({"attested_at": NOW + DAY}, BindingError, "future"),
        ({"asset": "hk-other-1"}, TrustError, "hk-other-1"),
        ({"valid_until": NOW + 14 * DAY}, ContextError, "outlives its attestation"),
    ):
        changed_one = {"plant": attestation("plant", **changes)}
        found = books.books()
        refused(
            error, message, replace(found, attestations=found.attestations | changed_one).forge()
        )


def _double(**changes: object) -> Books:
    """b is a once more, and everything agrees with that, consent and all."""
    found = books.books(DOUBLED)
    again = attestation("a", **changes)
    asset = bundles.Attestation.parse(again).asset
    documents = [
        RequestedDocument(alias, asset if alias == "b" else ASSETS[alias], schema.digest)
        for alias, schema in subjects().schemas
    ]
    asked = books.request(DOUBLED, documents=documents) if asset != ASSETS["a"] else found.request
    return replace(found, request=asked, attestations=dict(found.attestations) | {"b": again})


def test_one_document_under_two_aliases_is_refused() -> None:
    """Its value would count for two: the same attestation, another version, asset or id."""
    one = dict(witnesses()) | {"b": witnesses()["a"]}
    granted = [
        GrantedDocument(alias, f"{place:032x}", 2, "00" * 32)
        for place, alias in enumerate(("a", "b", "plant"))
    ]
    for changes, message in (
        ({}, "one document stands under two aliases"),
        ({"version": 3}, "one document stands under two aliases"),
        ({"asset": "cn-pv-7"}, "one document stands under two aliases"),
        ({"document": "f" * 32}, "one asset under the same schema stands under two aliases"),
    ):
        found = replace(_double(**changes), granted=tuple(granted))
        refused(BindingError, message, found.forge(opened=one))


def test_neither_request_nor_grant_names_one_twice() -> None:
    """So the vault and the custodian's client refuse it as well."""
    twice = [RequestedDocument(alias, "cn-pv-1", "00" * 32) for alias in ("a", "b")]
    with pytest.raises(EncodingError, match="one asset twice"):
        books.request(SUM, documents=twice)
    granted = tuple(GrantedDocument(alias, "0" * 32, 2, "00" * 32) for alias in ("a", "b"))
    with pytest.raises(EncodingError, match="one document twice"):
        _ = books.books(granted=granted).grant
    same = (
        GrantedDocument("a", "0" * 32, 2, "00" * 32),
        GrantedDocument("a", "1" * 32, 1, "11" * 32),
    )
    with pytest.raises(EncodingError, match="aliases"):
        _ = books.books(granted=same).grant


def test_the_order_of_documents_is_the_aliases() -> None:
    """However they are handed in, one request has one text."""
    documents = [RequestedDocument(each, f"cn-{each}", "00" * 32) for each in ("b", "a")]
    found = books.request(SUM, documents=documents)
    assert [each.alias for each in found.documents] == ["a", "b"]
    assert found == books.request(SUM, documents=documents[::-1])
    swapped = found.data.replace(b'"alias":"a"', b'"alias":"c"')
    with pytest.raises(EncodingError, match="order"):
        Request.parse(swapped)


# --- the grant is for every document ------------------------------------------------------------


def test_consent_to_some_documents_is_none_to_all() -> None:
    """Every alias, document, version and attestation."""
    found = books.books()
    attested = {a: bundles.Attestation.parse(each) for a, each in found.attestations.items()}
    right = [
        GrantedDocument(alias, each.document, each.version, each.digest)
        for alias, each in attested.items()
    ]
    for wrong, message in (
        (right[:2], "other aliases"),
        ([*right[:2], replace(right[2], alias="zzz")], "other aliases"),
        ([*right[:2], replace(right[2], attestation="00" * 32)], "another attestation"),
        ([*right[:2], replace(right[2], version=1)], "another document or version"),
        ([*right[:2], replace(right[2], document="f" * 32)], "another document or version"),
    ):
        refused(GrantError, message, replace(found, granted=tuple(wrong)).forge())


def test_the_verifiers_request_names_every_document() -> None:
    """Another asset, schema or alias than it asked about, and an asset demanded on top."""
    found, data = good()
    for changes, message in (
        ({"plant": ("cn-pv-0099", None)}, "cn-pv-0099"),
        ({"b": (None, "00" * 32)}, "schema"),
    ):
        documents = [
            RequestedDocument(
                each.alias,
                changes.get(each.alias, (None, None))[0] or each.asset,
                changes.get(each.alias, (None, None))[1] or each.schema,
            )
            for each in found.request.documents
        ]
        asked = books.request(documents=documents)
        with pytest.raises(ContextError, match=message):
            check(data, expectation=Expectation.for_request(asked.data))
    for asset in ASSETS.values():
        assert check(data, expectation=Expectation.for_request(found.request.data, assets=[asset]))
        wanted = Expectation.for_audience(bundles.AUDIENCE, nonce="5a" * 32, assets=[asset])
        assert check(data, expectation=wanted)
    with pytest.raises(PolicyError, match="not cn-pv-0099"):
        Expectation.for_request(found.request.data, assets=["cn-pv-0099"])
    wanted = Expectation.for_audience(bundles.AUDIENCE, nonce="5a" * 32, assets=["cn-pv-0099"])
    with pytest.raises(ContextError, match="not cn-pv-0099"):
        check(data, expectation=wanted)


# --- 8, 9: facts and proof ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a.debt * 100 <= a.valuation * 90",
        "a.debt * 100 <= b.valuation * 60",
        "b.debt * 100 <= a.valuation * 60",
        "a.debt * 60 <= a.valuation * 100",
        "a.debt * 100 >= a.valuation * 60",
        "a.debt * 100 <= a.valuation * 60 + 0.01 万元",
    ],
)
def test_another_sentence_over_the_same_proof(text: str) -> None:
    """Other coefficients, documents, relation or amount in the text than in the proof.

    The request is the one for the other text, so the consent fits; only the proof does not.
    """
    found = books.books((text,))
    data = found.forge(proven=("a.debt * 100 <= a.valuation * 60",))
    with pytest.raises(CrossproofError):
        check(data)
    if "b." not in text:
        refused(ProofError, "does not verify", data)


def _claims(texts: tuple[str, ...]) -> tuple[Claims, list[LinearTerm], bytes]:
    caught: list[Claims] = []

    def catch(claims: Claims) -> Claims:
        caught.append(claims)
        return claims

    data = books.books(texts).forge(alter=catch)
    statement = compile_facts(FactList.parse(texts, subjects()), subjects(), {})
    terms = [each for each in statement.ranges if isinstance(each, LinearTerm)]
    return caught[0], terms, Bundle.parse(data).proof


@pytest.mark.parametrize("part", ["coefficient", "sign", "slot", "constant", "order", "a term"])
def test_all_of_a_combination_is_in_the_argument_itself(part: str) -> None:
    """Even with the statement's encoding left as it was, a moved coefficient is refused."""
    claims, (term,), proof = _claims(SUM)
    statement = compile_facts(FactList.parse(SUM, subjects()), subjects(), {})
    check_equations(verify_arguments(claims, statement, proof, {}))
    (one, two, three) = term.coefficients
    moved = {
        "coefficient": replace(term, coefficients=((one[0], one[1] * 2), two, three)),
        "sign": replace(term, coefficients=((one[0], -one[1]), two, three)),
        "slot": replace(term, coefficients=((two[0], one[1]), (one[0], two[1]), three)),
        "constant": replace(term, constant=term.constant + 1),
        "order": replace(term, coefficients=(two, one, three)),
        "a term": replace(term, coefficients=(one, two)),
    }[part]
    with pytest.raises(CrossproofError, match="does not verify"):
        check_equations(verify_arguments(claims, replace(statement, terms=(moved,)), proof, {}))


def test_a_constant_solved_for_last_needs_it_left_out() -> None:
    """Same commitments and coefficients, the constant moved by what a blinding could hide."""
    claims, (term,), _ = _claims(SUM)
    statement = compile_facts(FactList.parse(SUM, subjects()), subjects(), {})
    order = [witnesses()[alias] for alias, _ in subjects().schemas]
    low = replace(statement, terms=(replace(term, constant=-(10**12)),))
    with pytest.raises(CannotProveError):
        prove_arguments(claims, low, order, {})


ALTERED: list[tuple[str, Callable[[Claims], Claims]]] = [
    *(
        (
            f"{field} of document {place}",
            lambda c, place=place, field=field, value=value: replace(
                c,
                documents=(
                    *c.documents[:place],
                    replace(c.documents[place], **{field: value}),
                    *c.documents[place + 1 :],
                ),
            ),
        )
        for place in range(3)
        for field, value in (
            ("alias", "other"),
            ("schema", "00" * 32),
            ("attestation", "00" * 32),
            ("signer", "00" * 32),
        )
    ),
    ("a document less", lambda c: replace(c, documents=c.documents[:-1])),
    (
        "documents in another order",
        lambda c: replace(c, documents=(c.documents[1], c.documents[0], c.documents[2])),
    ),
    (
        "attestations exchanged",
        lambda c: replace(
            c,
            documents=(
                replace(c.documents[0], attestation=c.documents[1].attestation),
                replace(c.documents[1], attestation=c.documents[0].attestation),
                c.documents[2],
            ),
        ),
    ),
    ("a commitment less", lambda c: replace(c, commitments=c.commitments[:-1])),
    (
        "commitments exchanged",
        lambda c: replace(
            c,
            commitments=(
                (c.commitments[0][0], c.commitments[1][1]),
                (c.commitments[1][0], c.commitments[0][1]),
                *c.commitments[2:],
            ),
        ),
    ),
    (
        "a slot of another document",
        lambda c: replace(c, commitments=((64 + 3, c.commitments[0][1]), *c.commitments[1:])),
    ),
    ("statement", lambda c: replace(c, statement=c.statement[:-1])),
    (
        "the first fact",
        lambda c: replace(c, facts=("a.debt * 100 <= a.valuation * 61", *c.facts[1:])),
    ),
]


@pytest.mark.parametrize("alter", [each for _, each in ALTERED], ids=[name for name, _ in ALTERED])
def test_everything_of_every_document_is_in_the_transcript(
    alter: Callable[[Claims], Claims],
) -> None:
    """A proof whose transcript held one other item is refused: nothing can be exchanged after."""
    refused(ProofError, "does not verify", books.books().forge(alter=alter))


def test_documents_with_the_same_commitments_are_still_told_apart() -> None:
    """The commitments of a under another day, asset or id: the digests differ, and so the proof."""
    for changes in (
        {"as_of": bundles.AsOf.day(bundles.date(2026, 1, 1))},
        {"document": "e" * 32},
        {"valid_until": NOW + 80 * DAY},
    ):
        found = books.books(SUM)
        twin = replace(
            found, attestations=dict(found.attestations) | {"a": attestation("a", **changes)}
        )
        one, two = found.build(), twin.build()
        check(two)
        tree, other = json.loads(one), json.loads(two)
        # a's twin, its consent and all, around the proof that was made for a.
        other["proof"] = tree["proof"]
        refused(ProofError, "does not verify", canonical.dump(other))


def test_a_personal_attribute_in_a_sum_is_refused_at_the_end_too() -> None:
    """The verifier applies the rule itself, whoever consented."""
    refused(FactError, "personal", books.books(("a.age + b.age >= 50",)).forge())
    pinned = ("a.debt - b.debt >= 0 CNY", "b.debt - a.debt >= -4250000.5 CNY")
    assert check(books.books(pinned).build())
    both = ("a.debt - b.debt <= 4250000.5 CNY", "a.debt - b.debt >= 4250000.5 CNY")
    refused(FactError, "one possible value", books.books(both).forge())


def test_the_equation_is_the_naive_one_with_each_point_once() -> None:
    """An attested point stands once however many terms it is in, and the equation holds."""
    claims, terms, proof = _claims((*SUM, "a.debt * 100 <= a.valuation * 60"))
    texts = (*SUM, "a.debt * 100 <= a.valuation * 60")
    statement = compile_facts(FactList.parse(texts, subjects()), subjects(), {})
    (equation,) = verify_arguments(claims, statement, proof, {})
    assert holds(equation)
    used = {slot for term in terms for slot, _ in term.coefficients}
    rounds = len(equation.points) - 4 - len(used)
    assert rounds > 0
    assert len(used) == 3 == len(claims.commitments)


def test_one_bundle_is_verified_alone_and_in_a_batch() -> None:
    """The same outcome for each; the batch shares one multiplication."""
    from proofs.verify_many import verify_many

    data = good()[1]
    bad = books.books(SUM).forge(alter=lambda c: replace(c, documents=c.documents[:-1]))
    outcomes = verify_many(
        [data, bad, data],
        trust=books.trust(),
        expectation=Expectation.for_audience(bundles.AUDIENCE, nonce="5a" * 32),
        sets=bundles.sets(),
        now=NOW,
    )
    assert [type(each) for each in outcomes] == [Verified, ProofError, Verified]


def test_old_files_name_their_document_doc_and_need_no_alias() -> None:
    """A bundle about one document keeps its texts: no alias in them, one slot an attribute."""
    _, data = bundles.small()
    found = verify_bundle(
        data,
        trust=bundles.trust(),
        expectation=Expectation.for_audience(bundles.AUDIENCE, nonce="5a" * 32),
        sets=(),
        now=NOW,
    )
    assert [each.alias for each in found.documents] == ["doc"]
    assert found.facts == ("annual_yield >= 0.08",)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 7))
def test_no_bit_can_change(place: int, bit: int) -> None:
    """Any bit of the file, in any document, text or proof: refused, with an error of ours."""
    data = bytearray(good()[1])
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(CrossproofError):
        check(bytes(data))
