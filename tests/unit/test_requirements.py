"""What a verifier requires of assets, against what is proven about one and several documents."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from support import books, bundles
from support.books import ASSETS, book
from support.bundles import ASSET, AUDIENCE, NOW

from proofs.errors import PolicyError, SetError
from proofs.evaluate import SetMembers
from proofs.facts import FactList
from proofs.policy import Expectation
from proofs.requirements import Met, Required, Subject
from proofs.subjects import Subjects
from proofs.verify import Verified, verify_bundle

PLANT = [Subject("doc", ASSET, bundles.schema())]
BOOKS = [Subject(alias, ASSETS[alias], schema) for alias, schema in books.subjects().schemas]


def find_set(name: str) -> SetMembers:
    """The sets of `support.bundles`."""
    for each in bundles.sets():
        if each.name == name:
            return each
    raise SetError(f"@{name}: give its file with --set")


def met(
    proven: list[str],
    required: list[str],
    *,
    assets: list[str] | None = None,
    documents: list[Subject] | None = None,
    now: datetime = NOW,
) -> list[tuple[str, str, str]]:
    """What is met, as (fact, asset, alias)."""
    about = documents or PLANT
    facts = FactList.parse(proven, Subjects.of({each.alias: each.schema for each in about}))
    wanted = Required.of(required, assets or [each.asset for each in about])
    found = wanted.check(list(facts), about, find_set=find_set, now=now)
    return [(each.fact, each.asset, each.alias) for each in found]


def test_what_follows_is_listed_in_canonical_form() -> None:
    """Units converted, per cents written out, one entry for each fact and asset."""
    assert met(
        ["capacity in 20..60 MW", "annual_yield >= 8.00%", "owner not in @sanctions"],
        ["capacity >= 10000 kW", "annual_yield >= 7%", "owner not in @sanctions"],
    ) == [
        ("capacity >= 10 MW", ASSET, "doc"),
        ("annual_yield >= 0.07", ASSET, "doc"),
        ("owner not in @sanctions", ASSET, "doc"),
    ]


def test_nothing_required_is_nothing_met() -> None:
    """And assets alone require no fact."""
    assert met(["annual_yield >= 8.00%"], []) == []


@pytest.mark.parametrize(
    ("proven", "required", "message"),
    [
        (
            "capacity in 20..60 MW",
            "capacity >= 20.001 MW",
            f"required of {ASSET}: capacity >= 20.001 MW; "
            "this does not follow from capacity in 20..60 MW",
        ),
        (
            "capacity in 20..60 MW",
            "annual_yield >= 7%",
            f"required of {ASSET}: annual_yield >= 0.07; nothing is proven about it",
        ),
        ("capacity >= 20 MW", "size >= 20 MW", "size >= 20 MW: schema pv-plant has no attribute"),
        ("capacity >= 20 MW", "capacity >= 20 CNY", "unit differs"),
        ("capacity >= 20 MW", "capacity above 20", "cannot read"),
        ("capacity >= 20 MW", "", "an empty fact"),
        ("capacity >= 20 MW", "capacity >= 100001 MW", "past the greatest"),
    ],
)
def test_what_does_not_follow_is_refused_with_what_is_proven(
    proven: str, required: str, message: str
) -> None:
    """The message names fact and asset, and the facts that bear on it."""
    with pytest.raises(PolicyError, match=re.escape(message)):
        met([proven], [required])


def test_one_unmet_fact_among_met_ones_refuses() -> None:
    """All that is required must follow."""
    with pytest.raises(PolicyError, match="annual_yield"):
        met(["capacity >= 20 MW"], ["capacity >= 10 MW", "annual_yield >= 7%"])


def test_long_facts_are_cut_in_messages() -> None:
    """A list of many literals fills no screen."""
    fuels = ", ".join(f"FUEL{number}" for number in range(200))
    with pytest.raises(PolicyError) as refused:
        met([f"fuel in {{{fuels}}}"], ["fuel in {SOLAR}"])
    assert len(str(refused.value)) < 500


def test_more_than_three_proven_facts_are_counted() -> None:
    """Three are shown, and how many there are more."""
    proven = [f"capacity >= {number} MW" for number in range(1, 7)]
    with pytest.raises(PolicyError, match="; and 3 more"):
        met(proven, ["capacity >= 50 MW"])


def test_today_is_the_verifiers() -> None:
    """The day of its clock, in the time zone of the schema: past 16:00 UTC the next in Shanghai."""
    proven = ["commissioned >= 2019-01-01"]
    late = datetime(2019, 1, 30, 16, 0, tzinfo=UTC)
    early = datetime(2019, 1, 30, 15, 59, 59, tzinfo=UTC)
    required = ["commissioned >= today - 30d"]
    assert met(proven, required, now=early) == [("commissioned >= 2018-12-31", ASSET, "doc")]
    assert met(proven, required, now=late) == [("commissioned >= 2019-01-01", ASSET, "doc")]
    with pytest.raises(PolicyError):
        met(proven, ["commissioned >= today - 29d"], now=late)


def test_a_set_that_is_not_at_hand() -> None:
    """A list that the verifier does not hold is asked for."""
    with pytest.raises(SetError, match="--set"):
        met(["owner not in @sanctions"], ["owner not in @others"])


def test_facts_without_an_asset_are_refused() -> None:
    """Nothing would be checked, and it would look as if all were met."""
    with pytest.raises(PolicyError, match="asset"):
        Required.of(["capacity >= 1 MW"], [])


# --- several documents --------------------------------------------------------------------------


def test_a_requirement_is_about_the_documents_of_its_asset() -> None:
    """Facts about another asset's document neither help nor hinder."""
    proven = ["a.debt <= 5000000 CNY", "b.debt <= 300000 CNY"]
    named = {"documents": BOOKS, "assets": [ASSETS["b"]]}
    assert met(proven, ["debt <= 400000 CNY"], **named) == [  # type: ignore[arg-type]
        ("debt <= 400000 CNY", ASSETS["b"], "b")
    ]
    with pytest.raises(PolicyError, match=f"required of {ASSETS['a']}"):
        met(proven, ["debt <= 400000 CNY"], documents=BOOKS, assets=[ASSETS["b"], ASSETS["a"]])


def test_sums_over_documents_bear_on_each() -> None:
    """What two debts come to together bounds each of them."""
    proven = ["a.debt + b.debt <= 5000000 CNY"]
    assert met(proven, ["debt <= 500 万元"], documents=BOOKS, assets=[ASSETS["a"]])
    linear = ["debt * 100 <= valuation * 60"]
    assert met(["a.debt * 2 <= a.valuation"], linear, documents=BOOKS, assets=[ASSETS["a"]])
    with pytest.raises(PolicyError):
        met(["b.debt * 2 <= a.valuation"], linear, documents=BOOKS, assets=[ASSETS["a"]])


TWO = [Subject("a", "cn-1", book()), Subject("b", "cn-1", book("other-book"))]


def test_every_document_of_an_asset_must_meet_it() -> None:
    """One that says less cannot hide behind one that says more."""
    low, high = "a.debt <= 100 CNY", "b.debt <= 900 CNY"
    assert len(met([low, high], ["debt <= 1000 CNY"], documents=TWO)) == 2
    with pytest.raises(PolicyError, match="b\\.debt <= 900 CNY"):
        met([low, high], ["debt <= 500 CNY"], documents=TWO)
    with pytest.raises(PolicyError, match="nothing is proven"):
        met([low], ["debt <= 500 CNY"], documents=TWO)


def test_an_alias_says_which_document_is_meant() -> None:
    """The verifier names one document where the asset has several."""
    low, high = "a.debt <= 100 CNY", "b.debt <= 900 CNY"
    assert met([low, high], ["a.debt <= 500 CNY"], documents=TWO) == [
        ("debt <= 500 CNY", "cn-1", "a")
    ]
    with pytest.raises(PolicyError):
        met([low, high], ["b.debt <= 500 CNY"], documents=TWO)


def test_a_document_without_the_attribute_is_passed_over() -> None:
    """Unless it is the only one, or has some of the sentence's attributes."""
    mixed = [Subject("a", "cn-1", book()), Subject("plant", "cn-1", bundles.schema())]
    proven = ["plant.annual_yield >= 0.08", "a.debt <= 100 CNY", "a.capacity >= 1 kW"]
    assert met(proven, ["annual_yield >= 7%"], documents=mixed) == [
        ("annual_yield >= 0.07", "cn-1", "plant")
    ]
    with pytest.raises(PolicyError, match="no attribute"):
        met(proven, ["size >= 7"], documents=mixed)
    # Both have a capacity; of the plant's nothing is proven.
    with pytest.raises(PolicyError, match="nothing is proven"):
        met(proven, ["capacity >= 1 kW"], documents=mixed)
    with pytest.raises(PolicyError, match="no attribute"):
        met(proven, ["annual_yield <= age"], documents=mixed)


# --- in the procedure ---------------------------------------------------------------------------


def verify(data: bytes, **expected: object) -> Verified:
    """With what an honest verifier of `support.bundles` holds."""
    return verify_bundle(
        data,
        trust=bundles.trust(),
        expectation=Expectation.for_audience(AUDIENCE, nonce="5a" * 32, **expected),  # type: ignore[arg-type]
        sets=bundles.sets(),
        now=NOW,
    )


def test_a_verdict_lists_what_was_required() -> None:
    """And only that."""
    found = verify(bundles.good()[1], assets=[ASSET], required=["capacity >= 10 MW"])
    assert found.met == (Met("capacity >= 10 MW", ASSET, "doc"),)
    assert verify(bundles.good()[1], assets=[ASSET]).met == ()


def test_a_bundle_that_does_not_meet_it_is_not_verified() -> None:
    """However true its own facts are."""
    with pytest.raises(PolicyError, match="capacity >= 30 MW"):
        verify(bundles.good()[1], assets=[ASSET], required=["capacity >= 30 MW"])


def test_a_set_that_was_not_proven_about_is_the_latest_at_hand() -> None:
    """`in @fuels` follows from a list that its latest version holds, and is checked as any set."""
    data = bundles.parts(("fuel in {SOLAR, WIND}",)).build()
    found = verify(data, assets=[ASSET], required=["fuel in @fuels"])
    assert found.met == (Met("fuel in @fuels", ASSET, "doc"),)
    with pytest.raises(PolicyError):
        verify(bundles.small()[1], assets=[ASSET], required=["fuel in @fuels"])
    with pytest.raises(SetError, match="expired"):
        verify_bundle(
            data,
            trust=bundles.trust(),
            expectation=Expectation.for_audience(
                AUDIENCE, nonce="5a" * 32, assets=[ASSET], required=["fuel in @fuels"]
            ),
            sets=[bundles.named_set("fuels", valid_days=0)],
            now=NOW,
        )
