"""Scopes, classes and sets of the whole verifier, and ways around them.

Consent is true and proofs are right, so only the check that a test is about can refuse.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.bundles import (
    ASSET,
    AUTHORITY,
    DAY,
    NOW,
    SANCTIONED,
    SMALL_FACTS,
    answering,
    attestation,
    good,
    named_set,
    parts,
    private_key,
    request,
    schema,
    sets,
    signer_entry,
    small,
    trust_text,
    witness,
)
from support.forging import asking, refused

from proofs import canonical, envelope
from proofs.classes import check_facts
from proofs.envelope import Envelope, PayloadType
from proofs.errors import (
    BindingError,
    EncodingError,
    FactError,
    GrantError,
    SetError,
    SignatureError,
    TrustError,
)
from proofs.facts import FactList
from proofs.named_set import MemberType, NamedSet
from proofs.schema import AttributeType, Schema
from proofs.trust import Trust

# --- whom the verifier trusts -------------------------------------------------------------------


@pytest.mark.parametrize(
    "assets",
    [
        ["cn-pv-004"],
        ["cn-pv-00420"],
        ["CN-PV-*"],
        ["cn-pv-0043*"],
        ["pv-0042"],
        ["cn-pv-0042.*"],
        [],
    ],
)
def test_an_asset_beside_the_scope(assets: list[str]) -> None:
    """Beginnings count only with a star, case counts, nothing allows nothing."""
    pinned = Trust.parse(trust_text(custodian={"assets": assets}).encode())
    refused(TrustError, f"not trusted for asset {ASSET}", small()[1], pinned=pinned)


@pytest.mark.parametrize(
    "change",
    [
        {"assets": ["*"]},
        {"assets": [""]},
        {"assets": ["cn-pv-**"]},
        {"assets": ["cn-*-0042"]},
        {"assets": ["cn-pv-*\n"]},
        {"assets": ["cn-pv-*", 7]},
        {"assets": "cn-pv-*"},
        {"schemas": "*"},
        {"schemas": ["*"]},
        {"schemas": [schema().digest.upper()]},
        {"schemas": [schema().digest + " "]},
        {"schema": [schema().digest]},
        {"valid_until": "2030-01-01"},
        {"valid_until": True},
        {"key": " " + str(signer_entry(1)["key"])},
        {"name_en": "Example\u202e"},
        {"name_en": ""},
    ],
)
def test_a_scope_that_reads_wider_than_it_is_written(change: dict[str, object]) -> None:
    """Texts for lists, patterns of other kinds, misspelt keys: no trust file at all."""
    with pytest.raises(TrustError):
        Trust.parse(trust_text(custodian=change).encode())


@pytest.mark.parametrize(
    "more",
    [
        '[custodian]\nname_en = "x"\n',
        "custodian = []\n",
        "[[custodian.assets]]\n",
        "[[custodians]]\n",
        "[trust]\n",
        '"custodian" = 1\n',
        "\ufeff",
        "[[set]]\nname = 'fuels'\nauthority = '" + "00" * 32 + "'\n",
        "\nleast_version = 1\n",
        "\nleast_version = 0x" + "f" * 5000 + "\n",
        "[[custodian]]\n" * 3,
    ],
)
def test_a_trust_file_with_more_behind_it(more: str) -> None:
    """TOML has many ways to say a thing twice; none of them loosens what stands before."""
    with pytest.raises(TrustError):
        Trust.parse((trust_text() + "\n" + more).encode())


# --- classes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "facts",
    [
        ("capacity in 48.5..48.5 MW",),
        ("capacity >= 48.5 MW", "capacity <= 48.5 MW"),
        ("capacity in 48.499..48.5 MW", "capacity >= 48.5 MW"),
        ("capacity in {48.5} MW",),
        ("capacity in {48.5, 49} MW", "capacity in {48.5, 50} MW"),
        ("capacity in {48.5, 49} MW", "capacity <= 48.999 MW"),
        ("commissioned in 2021-06-18..2021-06-18",),
        ("commissioned >= 2021-06-18", "commissioned <= 2021-06-18"),
        ("fuel in {SOLAR}",),
        ("fuel in {GAS, SOLAR}", "fuel in {COAL, SOLAR}"),
        ("fuel in @fuels", "fuel in {GAS, SOLAR}"),
    ],
)
def test_an_opening_in_disguise(facts: tuple[str, ...]) -> None:
    """True, consented to, proven, and one value is left: refused before any proof is looked at."""
    refused(FactError, "leave 1 possible value", asking(*facts).forge())


def list_of(count: int, name: str, *more: str) -> NamedSet:
    """The first so many of the listed names, signed."""
    kind = MemberType(AttributeType.NAME)
    members = kind.read([*SANCTIONED[:count], *more])
    header = replace(
        NamedSet.make_header(
            members,
            name=name,
            version=3,
            member_type=kind,
            issued=NOW - DAY,
            valid_until=NOW + 30 * DAY,
            source="Example register",
            as_of=named_set().header.as_of,
        )
    )
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    return NamedSet.assemble(Envelope.parse(signed), members)


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        (("owner in @few",), 63),
        (("owner in @enough", "owner not in @one"), 63),
        (("owner in @enough", "owner in @others"), 63),
    ],
)
def test_a_person_among_too_few(facts: tuple[str, ...], left: int) -> None:
    """63 names are too few, in one list or in what several leave; 64 are enough."""
    others = [*SANCTIONED[1:64], *(f"Other {n}" for n in range(9))]
    lists = {
        "few": list_of(63, "few"),
        "enough": list_of(64, "enough"),
        "one": list_of(1, "one"),
        "others": list_of(0, "others", *others),
    }
    check_facts(FactList.parse(("owner in @enough",), schema()), schema(), lists)
    with pytest.raises(FactError, match=f"leave {left} possible values"):
        check_facts(FactList.parse(facts, schema()), schema(), lists)


def test_all_members_of_an_enum_but_one() -> None:
    """An enum's other members in a list leave one, in `not in` as in braces."""
    text = schema().encode().replace(b'"class":"public"', b'"class":"asset"')
    strict = Schema.parse(text)
    kind = MemberType(AttributeType.ENUM)
    members = kind.read(["Anhui", "Jiangsu", "Qinghai", "Nowhere"])
    header = replace(
        NamedSet.make_header(
            members,
            name="rest",
            version=1,
            member_type=kind,
            issued=NOW - DAY,
            valid_until=NOW + DAY,
            source="x",
            as_of=named_set().header.as_of,
        )
    )
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    rest = {"rest": NamedSet.assemble(Envelope.parse(signed), members)}
    for facts in (("province not in @rest",), ("province = Guangdong",)):
        with pytest.raises(FactError, match=r"leave 1 possible|only public"):
            check_facts(FactList.parse(facts, strict), strict, rest)


# --- attested parts and sets --------------------------------------------------------------------


def test_commitments_moved_to_a_neighbour_by_the_marks() -> None:
    """The same commitments under other marks: the owner's stands for the phone number."""
    commitments = list(witness().commitments())
    assert commitments[6] is None
    commitments[5], commitments[6] = None, commitments[5]
    moved = attestation(commitments=commitments)
    data = parts(("owner not in @sanctions",)).build()
    found = parts(("owner not in @sanctions",), attestation=moved)
    tree = json.loads(data)
    tree["documents"][0]["envelope"] = json.loads(found.attestation_envelope)
    tree["grants"] = [json.loads(found.grant_envelope)]
    refused(BindingError, "owner: attested as absent", canonical.dump(tree))


def test_a_grant_of_another_day_for_the_same_facts() -> None:
    """A second request, equal in all that is shown, has its own digest."""
    other = request(SMALL_FACTS, created=NOW - 2 * DAY)
    found = parts(SMALL_FACTS, grant_changes=(("request", other.digest),))
    refused(GrantError, "another request", found.forge())
    context = replace(found.context, request=other.digest)
    refused(GrantError, "other facts, asset or context", replace(found, context=context).forge())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SOLAR", "ＳＯＬＡＲ"),
        ("SOLAR", "Solar"),
        ("SOLAR", "SOLAR\u1680"),
        ("SOLAR", "SOLAR\u00a0"),
        ("SOLAR", "\ufeffSOLAR"),
        ("SOLAR", "SOLAR\r"),
        ("SOLAR", "SOLAR\x00"),
        ("SOLAR", "SOLAR\u200d"),
        ("SOLAR", "SOLAR\U0001d159"),
        ("SOLAR", "SOLAR\u2028WIND"),
        ("SOLAR\nWIND", "WIND\nSOLAR"),
        ("SOLAR\nWIND", "SOLAR\n\nWIND"),
        ("SOLAR\nWIND", "SOLAR\nSOLAR"),
        ("SOLAR", "SОLAR"),
        ("SOLAR", "S" * 70_000_000),
    ],
)
def test_a_set_file_that_reads_alike(before: str, after: str) -> None:
    """A line that normalises to the signed member, or looks like it, is not the signed line."""
    exported = named_set("fuels").export()
    data = exported.replace(before.encode(), after.encode())
    assert data != exported
    with pytest.raises((SetError, EncodingError)):
        NamedSet.parse(data)


def test_a_newer_file_that_nobody_signed() -> None:
    """A planted file with a higher version is refused; it does not stand in for the signed one."""
    genuine = named_set("fuels")
    header = replace(genuine.header, version=99, valid_until=NOW + 900 * DAY).encode()
    planted = NamedSet.assemble(
        replace(genuine.envelope, unverified_payload=header), genuine.members
    )
    refused(SignatureError, "does not verify", good()[1], held=(*sets(), planted))


def test_a_set_under_the_name_of_another() -> None:
    """The fuels' members signed by the same authority as `sanctions`: the type tells."""
    renamed = named_set("sanctions", kind=AttributeType.IDENTIFIER)
    asked = request(("owner not in @sanctions",), sets=[renamed.reference])
    found = answering(parts(("owner not in @sanctions",)), asked, sets=(renamed,))
    refused(SetError, "another type", found.forge(), held=(renamed,))
