"""The bundle file and its making: what goes in comes out, and the prover refuses what is false."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from support import bundles
from support.bundles import (
    DAY,
    NOW,
    SMALL_FACTS,
    Parts,
    answering,
    attestation,
    context_for,
    good,
    named_set,
    parts,
    request,
    schema,
    small,
    witness,
)

from proofs import canonical, envelope, group, pedersen
from proofs.arguments import members_of, prove_arguments, verify_arguments
from proofs.bundle import Bundle, write_bundle
from proofs.claims import ClaimedDocument, Claims, bound_commitments
from proofs.envelope import Envelope, PayloadType
from proofs.equation import Equation, check, holds
from proofs.errors import (
    BindingError,
    CannotProveError,
    ContextError,
    CrossproofError,
    EncodingError,
    FactError,
    GrantError,
    SetError,
)
from proofs.facts import FactList
from proofs.grant import GrantedDocument
from proofs.ids import digest_of
from proofs.labels import frame
from proofs.named_set import MemberType, NamedSet
from proofs.prove import ProvenDocument, prove_bundle
from proofs.range_proof import verify_ranges
from proofs.request import RequestedDocument
from proofs.schema import AttributeType, Schema
from proofs.statement import Statement, compile_facts
from proofs.witness import Witness


def few(**changes: object) -> Parts:
    return parts(SMALL_FACTS, **changes)


def test_a_bundle_is_read_back() -> None:
    """Every part of the file is what was put in."""
    found, data = good()
    read = Bundle.parse(data)
    assert read.digest == digest_of(data)
    assert read.context == found.context
    assert read.schemas == (schema().encode(),)
    assert read.documents[0].envelope.encode() == found.attestation_envelope
    assert read.grant.encode() == found.grant_envelope
    assert (read.facts, read.sets) == (found.request.facts, found.request.sets)
    assert canonical.dump(json.loads(data)) == data


def test_sizes() -> None:
    """What a bundle weighs: about 5 kB with one range, 8 kB with every kind of fact."""
    for name, (_, data) in (("one range", small()), ("six facts", good())):
        proof = len(Bundle.parse(data).proof)
        print(f"bundle with {name}: {len(data)} bytes, proof {proof}")
    assert len(small()[1]) < 6_000
    assert len(good()[1]) < 9_000


def test_refuses_to_write_past_the_limit() -> None:
    """A bundle that no reader would take is not made."""
    found, data = small()
    read = Bundle.parse(data)
    with pytest.raises(EncodingError, match="more than"):
        write_bundle(
            context=found.context,
            schemas=read.schemas,
            documents=read.documents,
            grant=read.grant,
            facts=read.facts,
            sets=(),
            proof=bytes(25 << 20),
        )


def test_two_bundles_of_one_request_differ() -> None:
    """A proof is randomised."""
    assert few().build() != few().build()


@pytest.mark.parametrize(
    "fact",
    [
        "annual_yield >= 0.0913",
        "annual_yield <= 0.0911",
        "capacity in 50..60 MW",
        "commissioned <= 2021-06-17",
        "province = Anhui",
        "province in {Anhui, Jiangsu}",
        "fuel in {COAL, GAS}",
        "owner in @sanctions",
        "fuel not in @fuels",
        "phone not in @phones",
    ],
)
def test_a_false_fact_has_no_proof(fact: str) -> None:
    """A false range, opening, membership or absence, and anything about what is absent."""
    found = parts((fact,)) if "@phones" not in fact else _about_phones(fact)
    with pytest.raises(CannotProveError):
        found.build()


def _about_phones(fact: str) -> Parts:
    kind = MemberType(AttributeType.IDENTIFIER)
    members = kind.read([f"+86-{number}" for number in range(70)])
    header = NamedSet.make_header(
        members,
        name="phones",
        version=1,
        member_type=kind,
        issued=NOW - DAY,
        valid_until=NOW + 30 * DAY,
        source="x",
        as_of=date(2026, 1, 1),
    )
    signed = envelope.sign(PayloadType.SET, header.encode(), bundles.private_key(2))
    phones = NamedSet.assemble(Envelope.parse(signed), members)
    return answering(parts(SMALL_FACTS), request((fact,), sets=[phones.reference]), sets=(phones,))


@pytest.mark.parametrize(
    "facts",
    [
        ("capacity = 48.5 MW",),
        ("capacity >= 48.5 MW", "capacity <= 48.5 MW"),
        ("province not in @fuels",),
        ("owner in @few",),
    ],
)
def test_what_may_not_be_asked_is_not_proven(facts: tuple[str, ...]) -> None:
    """Openings in disguise and sets of another type or not at hand."""
    with pytest.raises((FactError, SetError)):
        parts(facts).build()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"attestation": attestation(asset="cn-pv-1")}, BindingError, "another asset"),
        ({"grant_changes": (("request", "00" * 32),)}, GrantError, "another request"),
        ({"grant_changes": (("sets", [named_set().reference]),)}, GrantError, "other sets"),
        ({"context": context_for(request(SMALL_FACTS), audience="x")}, ContextError, "not the req"),
        ({"context": context_for(request(SMALL_FACTS), nonce=None)}, ContextError, "not the req"),
        (
            {"context": context_for(request(SMALL_FACTS), expires=NOW + 21 * DAY)},
            ContextError,
            "within the grant",
        ),
        (
            {"context": context_for(request(SMALL_FACTS), not_before=NOW - 2 * DAY)},
            ContextError,
            "within the grant",
        ),
        (
            {"attestation": attestation(valid_until=NOW + timedelta(days=14))},
            ContextError,
            "outlive",
        ),
    ],
)
def test_the_prover_refuses_parts_that_do_not_fit(
    changes: dict[str, object], error: type[CrossproofError], message: str
) -> None:
    """A bundle that everyone would refuse is not made."""
    with pytest.raises(error, match=message):
        few(**changes).build()


def test_the_prover_refuses_another_attestation_than_granted() -> None:
    """The grant names one attestation."""
    attested = few().attested
    granted = [GrantedDocument("doc", attested.document, 2, "00" * 32)]
    with pytest.raises(GrantError, match="another attestation"):
        few(grant_changes=(("documents", granted),)).build()


def test_the_prover_refuses_another_set_of_the_name() -> None:
    """The set at hand must be the one that the request names, and be at hand."""
    facts = ("owner not in @sanctions",)
    other = named_set(version=4, extra=("Newly Listed",))
    for held in ((other,), ()):
        with pytest.raises(SetError, match="not at hand"):
            parts(facts, sets=held).build()
    asked = request(facts, sets=[])
    with pytest.raises(SetError, match="other sets"):
        answering(parts(facts), asked).build()


def test_the_prover_refuses_a_schema_of_another_digest() -> None:
    """Facts read under another schema would be about other units."""
    found = few()
    other = Schema.parse(schema().encode().replace(b'"unit":"MW"', b'"unit":"kW"'))
    with pytest.raises(BindingError, match="schema"):
        prove_bundle(
            request=found.request.data,
            context=found.context,
            documents={"doc": ProvenDocument(other, found.attestation_envelope, witness())},
            grant_envelope=found.grant_envelope,
            sets={},
        )


def test_the_prover_refuses_another_schema_in_the_request() -> None:
    """What was asked under another schema is not answered under this one."""
    asked = request(SMALL_FACTS, documents=[RequestedDocument("doc", "cn-pv-0042", "00" * 32)])
    with pytest.raises(BindingError, match="another asset or schema"):
        answering(few(), asked).build()


# --- the arguments ------------------------------------------------------------------------------


def claims_of(found: Parts) -> tuple[Claims, Statement]:
    facts = FactList.parse(found.request.facts, schema())
    digests = {each.name: each.header.digest for each in found.sets}
    statement = compile_facts(facts, schema(), digests)
    claims = Claims(
        context=found.context,
        documents=(ClaimedDocument("doc", schema().digest, "11" * 32, "22" * 32),),
        grant="33" * 32,
        grant_signer="22" * 32,
        sets=found.request.sets,
        facts=found.request.facts,
        statement=statement.encode(),
        commitments=bound_commitments([found.attested], schema(), statement.attributes),
    )
    return claims, statement


def test_the_shifted_equation_is_the_naive_one() -> None:
    """Moving the bounds into the equation gives the equation over the derived commitments."""
    found = parts(("capacity in 20..60 MW", "annual_yield <= 0.2", "commissioned >= 2019-01-01"))
    claims, statement = claims_of(found)
    proof = prove_arguments(claims, statement, [witness()], {})
    (fast,) = verify_arguments(claims, statement, proof, {})

    attested = dict(claims.commitments)
    derived, encodings = [], []
    for term in statement.ranges:
        (point,) = group.decode_statement_points([attested[term.attribute]])
        shift = pedersen.commit(group.signed_scalar(term.bound), group.ZERO)
        derived.append(point - shift if term.sign == 1 else shift - point)
        parts_of = (attested[term.attribute], str(term.sign).encode(), str(term.bound).encode())
        encodings.append(frame(*parts_of))
    naive = verify_ranges(claims.transcript(), derived, encodings, proof, digits=statement.digits)
    assert holds(fast)
    assert holds(naive)
    difference = Equation(
        (*fast.fixed, *naive.fixed),
        [*fast.fixed_scalars, *[-each for each in naive.fixed_scalars]],
        [*fast.points, *naive.points],
        [*fast.scalars, *[-each for each in naive.scalars]],
    )
    assert (
        group.multiply(
            [*(each.point for each in difference.fixed), *difference.points],
            [*difference.fixed_scalars, *difference.scalars],
        )
        == group.IDENTITY
    )


@pytest.mark.parametrize("bound", ["sign", "lo", "hi"])
def test_the_bounds_of_a_range_are_in_the_argument_itself(bound: str) -> None:
    """Even with the statement's encoding left as it was, a moved bound is refused."""
    claims, statement = claims_of(parts(("capacity in 20..60 MW",)))
    proof = prove_arguments(claims, statement, [witness()], {})
    check(verify_arguments(claims, statement, proof, {}))
    low, high = statement.ranges
    moved = {
        "sign": (replace(low, sign=-1), high),
        "lo": (replace(low, bound=low.bound + 1), high),
        "hi": (low, replace(high, bound=high.bound + 1)),
    }[bound]
    other = replace(statement, terms=moved)
    with pytest.raises(CrossproofError, match="does not verify"):
        check(verify_arguments(claims, other, proof, {}))


def test_an_opening_shows_the_value_only() -> None:
    """It verifies for its value, and for no other; the blinding is not in it."""
    claims, statement = claims_of(parts(("province = Guangdong",)))
    proof = prove_arguments(claims, statement, [witness()], {})
    assert len(proof) == 80
    pair = witness().values[3]
    assert pair is not None
    assert group.encode_scalar(pair[1]) not in proof
    check(verify_arguments(claims, statement, proof, {}))
    other = compile_facts(FactList.parse(("province = Anhui",), schema()), schema(), {})
    with pytest.raises(CrossproofError, match="does not verify"):
        check(verify_arguments(claims, other, proof, {}))


def test_sets_are_those_of_the_statement() -> None:
    """A set that is missing or has another digest is refused by name."""
    _, statement = claims_of(parts(("fuel in @fuels",)))
    (membership,) = statement.memberships
    assert members_of(membership, {"fuels": named_set("fuels").scalars}).size == 3
    for sets in ({}, {"fuels": named_set("sanctions").scalars}):
        with pytest.raises(SetError, match="@fuels"):
            members_of(membership, sets)


def test_a_witness_without_the_attribute_is_refused() -> None:
    """Attested as present, absent in the witness: they do not belong together."""
    claims, statement = claims_of(few())
    empty = Witness(tuple(None for _ in witness().values), {})
    with pytest.raises(BindingError, match="lacks"):
        prove_arguments(claims, statement, [empty], {})
