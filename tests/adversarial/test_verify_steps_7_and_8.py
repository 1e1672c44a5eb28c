"""Named sets and facts: each check by an attack that only it stops.

Where a dishonest prover is needed, `Parts.forge` makes a proof that is right for what stands in
the bundle, so nothing but the named check can refuse it. The numbers are those of SPEC.md,
"Verification procedure".
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.bundles import (
    AUTHORITY,
    CUSTODIAN,
    DAY,
    NOW,
    SMALL_FACTS,
    STRANGER,
    Parts,
    answering,
    named_set,
    parts,
    private_key,
    request,
)
from support.checks import (
    MINUTE,
    changed,
    check,
    few,
    found_bundle,
    pinning,
    refused,
    text,
)

from proofs import envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import (
    BindingError,
    FactError,
    SetError,
    SignatureError,
    TrustError,
)
from proofs.group import ORDER
from proofs.named_set import NamedSet
from proofs.schema import AttributeType

# --- 7: named sets ------------------------------------------------------------------------------

LISTED = ("owner not in @sanctions",)


def with_set(found: NamedSet, **changes: object) -> Parts:
    """A bundle about the owner and this set."""
    asked = request(LISTED, sets=[found.reference])
    return answering(parts(LISTED, **changes), asked, sets=(found,))


def test_7_a_set_that_nobody_was_given() -> None:
    """A name that the trust file gives to no authority means nothing."""
    found = named_set("sanctions")
    header = replace(found.header, name="unheard-of")
    other = NamedSet.assemble(
        Envelope.parse(envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))),
        found.members,
    )
    asked = request(("owner not in @unheard-of",), sets=[other.reference])
    data = answering(parts(LISTED), asked, sets=(other,)).build()
    refused(TrustError, "unheard-of to no authority", data, held=(other,))


def test_7_another_authority() -> None:
    """The same name signed by a stranger, and by the custodian."""
    for signer in (STRANGER, CUSTODIAN):
        other = named_set("sanctions", signer=signer)
        refused(SetError, "another authority", with_set(other).build(), held=(other,))


def test_7_not_at_hand() -> None:
    """Members come from the verifier's file only."""
    data = with_set(named_set()).build()
    refused(SetError, "give its file with --set", data, held=())
    refused(SetError, "give its file with --set", data, held=(named_set("fuels"),))


def test_7_an_older_or_newer_list() -> None:
    """Proven about the list without the newest name, checked against the list with it."""
    newer = named_set(version=4, extra=("Newly Listed",))
    refused(SetError, "another version", with_set(named_set()).build(), held=(newer,))
    refused(SetError, "another version", with_set(newer).build(), held=(named_set(),))
    assert check(with_set(newer).build(), held=(named_set(), newer))


def test_7_the_same_members_signed_again() -> None:
    """Of two files with the same members the later version counts, in whichever order given."""
    stale = named_set(valid_days=0)
    header = replace(named_set().header, version=4)
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    again = NamedSet.assemble(Envelope.parse(signed), named_set().members)
    data = with_set(stale).build()
    for held in ((stale, again), (again, stale)):
        assert [each.named.header.version for each in check(data, held=held).sets] == [4]


def test_7_older_than_pinned() -> None:
    """The trust file may ask for a least version."""
    data = with_set(named_set()).build()
    assert check(data, pinned=pinning(least_version=3))
    refused(SetError, "asks for 4 at least", data, pinned=pinning(least_version=4))


def test_7_a_signature_that_does_not_hold() -> None:
    """A list of one's own in a file that says it is the authority's."""
    mine = named_set("sanctions", signer=STRANGER, extra=("My Rival",))
    keyid = named_set().envelope.keyid
    forged = NamedSet.assemble(replace(mine.envelope, keyid=keyid), mine.members)
    refused(SignatureError, "does not verify", with_set(forged).build(), held=(forged,))


def test_7_times() -> None:
    """Issued in the past by a key then in force, not expired, and not outlived by the bundle."""
    stale = named_set(valid_days=0)
    refused(SetError, "expired", with_set(stale).build(), held=(stale,))
    short = named_set(valid_days=14)
    refused(SetError, "outlives it", with_set(short).build(), held=(short,))
    data, held = with_set(named_set()).build(), (named_set(),)
    late = pinning(authority={"valid_from": text(NOW - 9 * DAY)})
    refused(TrustError, "signed the set @sanctions", data, held=held, pinned=late)
    over = pinning(authority={"valid_until": text(NOW)})
    refused(TrustError, "expired", data, held=held, pinned=over)
    header = replace(named_set().header, issued=NOW + 6 * MINUTE)
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    soon = NamedSet.assemble(Envelope.parse(signed), named_set().members)
    refused(SetError, "future", with_set(soon).build(), held=(soon,))


# --- 8: facts -----------------------------------------------------------------------------------


def asking(facts: tuple[str, ...], **changes: object) -> Parts:
    """Parts for a request whose facts are taken as they are written."""
    asked = request(SMALL_FACTS, facts=facts, **changes)
    return answering(few(), asked)


def test_8_another_spelling_of_a_fact() -> None:
    """What is shown, signed and proven is one text."""
    data = asking(("annual_yield >= 8.00%",)).forge()
    refused(FactError, "canonical", data)


def test_8_a_set_that_no_fact_is_about() -> None:
    """The list of sets is exactly that of the facts."""
    found = asking(("annual_yield >= 0.08",), sets=[named_set().reference])
    refused(BindingError, "other sets", found.forge())


def test_8_a_set_missing_from_the_list() -> None:
    """A fact about a set that no grant names."""
    found = answering(parts(LISTED), request(LISTED, sets=[]))
    refused(BindingError, "other sets", found.forge(references=()))


def test_8_not_allowed_by_class() -> None:
    """An opening of what is not public, alone or in disguise."""
    for facts in (
        ("annual_yield = 0.0912",),
        ("annual_yield <= 0.0912", "annual_yield >= 0.0912"),
    ):
        refused(FactError, "annual_yield", asking(facts).forge())


def test_8_a_set_of_another_type() -> None:
    """No identifier equals a name: `not in` a list of identifiers is true of every name."""
    other = named_set("sanctions", kind=AttributeType.IDENTIFIER)
    refused(SetError, "another type", with_set(other).forge(), held=(other,))


@pytest.mark.parametrize(
    "fact",
    [
        "height >= 3",
        f"annual_yield in {ORDER + 1}..{ORDER + 2}",
        "annual_yield in 0.2..0.1",
        "annual_yield >= 0.08 MW",
        "annual_yield >= 99",
        "annual_yield in @sanctions and more",
    ],
)
def test_8_facts_that_the_schema_does_not_admit(fact: str) -> None:
    """Unknown attributes, literals past the bounds (or the group's order), other units."""
    found = asking((fact,))
    data = changed(found_bundle(found), lambda tree: None)
    refused(FactError, "", data)
