"""Many bundles at once: the bad ones are named by few multiplications, and hide no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import bundles, checks
from support.bundles import AUDIENCE, NOW

from proofs import equation, group
from proofs.equation import Equation
from proofs.errors import ContextError, CrossproofError, EncodingError, PolicyError, ProofError
from proofs.generators import G
from proofs.policy import Expectation
from proofs.verify import Verified
from proofs.verify_many import hold_each, verify_many

TRUE = Equation((G, G), [group.ONE, -group.ONE], [], [])


def false(error: int = 1) -> Equation:
    """error · G = 0."""
    return Equation((G,), [group.signed_scalar(error)], [], [])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of equations in each check that is made."""
    found: list[int] = []
    original = equation.check

    def check(equations: Sequence[Equation]) -> None:
        found.append(len(equations))
        original(equations)

    monkeypatch.setattr(equation, "check", check)
    return found


def of_size(size: int, bad: set[int]) -> list[list[Equation]]:
    """Groups of one to three equations; in the bad ones the last is false."""
    return [
        [TRUE] * (place % 3) + [false(place + 1) if place in bad else TRUE] for place in range(size)
    ]


# --- halving ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), max_size=24))
def test_each_is_judged_as_it_is_alone(good: list[bool]) -> None:
    """Whatever the pattern of good and bad ones, none included."""
    bad = {place for place, each in enumerate(good) if not each}
    assert good == hold_each(of_size(len(good), bad))


@pytest.mark.parametrize("bad", [{0}, {511}, {1023}, {0, 1}, {7, 500, 1022}, {0, 1023}])
def test_few_bad_ones_cost_few_checks(bad: set[int], counted: list[int]) -> None:
    """Of n with b bad ones: at most 1 + 2·b·log2(n) multiplications, and 1 if none is bad."""
    size = 1024
    verdicts = hold_each(of_size(size, bad))
    assert bad == {place for place, each in enumerate(verdicts) if not each}
    assert len(counted) <= 1 + 2 * len(bad) * ceil(log2(size))
    counted.clear()
    assert all(hold_each(of_size(size, set())))
    assert len(counted) == 1


def test_all_bad_cost_no_more_than_twice_each(counted: list[int]) -> None:
    """A directory of nothing but bad ones takes no more checks than there are halves."""
    assert hold_each(of_size(64, set(range(64)))) == [False] * 64
    assert len(counted) <= 2 * 64


@pytest.mark.parametrize("errors", [(1, -1), (5, -2, -3), (1, 1, -1, -1)])
@pytest.mark.parametrize("between", [0, 1, 6])
def test_errors_that_cancel_are_found(errors: tuple[int, ...], between: int) -> None:
    """False equations whose plain sum vanishes, side by side and in different halves."""
    groups, expected = [], []
    for error in errors:
        groups += [[false(error)], *[[TRUE]] * between]
        expected += [False, *[True] * between]
    assert equation.holds(
        equation.combine([false(each) for each in errors], weights=[group.ONE] * len(errors))
    )
    assert expected == hold_each(groups)


def test_errors_that_cancel_within_one_bundle_are_found() -> None:
    """The equations of one bundle have weights of their own too."""
    assert hold_each([[TRUE], [false(1), false(-1)]]) == [True, False]


def test_weights_are_drawn_anew_for_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed under some weights is never judged again under the same ones."""
    drawn: list[bytes] = []
    original = group.random_weight

    def weight() -> group.Scalar:
        found = original()
        drawn.append(group.encode_scalar(found))
        return found

    monkeypatch.setattr(group, "random_weight", weight)
    hold_each(of_size(32, {3, 20}))
    assert len(drawn) == len(set(drawn)) > 32


# --- bundles ------------------------------------------------------------------------------------


def spoilt(data: bytes) -> bytes:
    """The bundle with another last response."""
    return checks.with_proof(data, lambda proof: proof[:-1] + bytes([proof[-1] ^ 1]))


def together(given: Sequence[bytes | CrossproofError], **changes: object) -> list[object]:
    """What an honest verifier of the bundles of `support.bundles` says."""
    values: dict[str, object] = {
        "trust": bundles.trust(),
        "expectation": Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        "sets": bundles.sets(),
        "now": NOW,
    }
    return list(verify_many(given, **(values | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [{0}, {2}, {4}, {0, 4}, {1, 2, 3}, {0, 1, 2, 3, 4}, set()], ids=str)
def test_bad_bundles_are_named(bad: set[int]) -> None:
    """First, in the middle, last, several, all, none: those and no others."""
    good = [bundles.small()[1], bundles.good()[1]]
    given = [spoilt(good[k % 2]) if k in bad else good[k % 2] for k in range(5)]
    found = together(given)
    assert bad == {k for k, each in enumerate(found) if type(each) is ProofError}
    assert all(isinstance(each, Verified) for k, each in enumerate(found) if k not in bad)


def test_what_fails_before_its_proof_keeps_its_place() -> None:
    """No JSON, another request, a file that could not be read: each error where the file stood."""
    unreadable = EncodingError("cannot be read")
    another = bundles.parts(
        bundles.SMALL_FACTS, **_answering(bundles.request(bundles.SMALL_FACTS, nonce="11" * 32))
    ).build()
    good = bundles.small()[1]
    found = together([b"{}", good, unreadable, another, spoilt(good), good])
    assert [type(each) for each in found] == [
        EncodingError,
        Verified,
        EncodingError,
        ContextError,
        ProofError,
        Verified,
    ]
    assert found[2] is unreadable


def _answering(asked: bundles.Request) -> dict[str, object]:
    return {"request": asked, "context": bundles.context_for(asked)}


def test_nothing_to_check_is_no_failure_of_the_check() -> None:
    """No bundle, and none that reaches its proof."""
    assert together([]) == []
    assert [type(each) for each in together([b"", b"[]"])] == [EncodingError] * 2


# --- requests -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three() -> tuple[list[bundles.Request], list[bytes]]:
    """Three requests that differ in their nonce, and their bundles."""
    asked = [bundles.request(bundles.SMALL_FACTS, nonce=f"{n}{n}" * 32) for n in (1, 2, 3)]
    made = [bundles.parts(bundles.SMALL_FACTS, **_answering(each)).build() for each in asked]
    return asked, made


def test_each_bundle_is_matched_to_its_request(
    three: tuple[list[bundles.Request], list[bytes]],
) -> None:
    """By its digest, in whatever order they come, and more than once if it comes twice."""
    asked, made = three
    expectation = Expectation.for_requests(reversed(asked))
    found = together([*made, made[0]], expectation=expectation)
    assert [each.context.request for each in found if isinstance(each, Verified)] == [
        each.digest for each in (*asked, asked[0])
    ]


def test_a_bundle_that_answers_none_of_the_requests_is_refused(
    three: tuple[list[bundles.Request], list[bytes]],
) -> None:
    """And no other with it; one request alone says what differs."""
    asked, made = three
    found = together(made, expectation=Expectation.for_requests(asked[:2]))
    assert [type(each) for each in found] == [Verified, Verified, ContextError]
    assert "none of the 2 requests" in str(found[2])
    (alone,) = together(made[2:], expectation=Expectation.for_request(asked[0].data))
    assert "another nonce" in str(alone)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree["context"].update(request="00" * 32),
        lambda tree: tree["context"].update(nonce="11" * 32),
    ],
)
def test_a_bundle_cannot_choose_its_request(
    three: tuple[list[bundles.Request], list[bytes]],
    change: Callable[[dict[str, dict[str, str]]], None],
) -> None:
    """The digest that is matched is that of the request rebuilt from what was granted."""
    asked, made = three
    found = together([checks.changed(made[1], change)], expectation=Expectation.for_requests(asked))
    assert not isinstance(found[0], Verified)


def test_requests_and_assets_must_go_together(
    three: tuple[list[bundles.Request], list[bytes]],
) -> None:
    """No request at all, or an asset that no request is about, is refused before any bundle."""
    asked, _ = three
    with pytest.raises(PolicyError, match="no request"):
        Expectation.for_requests([])
    with pytest.raises(PolicyError, match="not cn-pv-9"):
        Expectation.for_requests(asked, assets=["cn-pv-0042", "cn-pv-9"])


def test_assets_of_several_bundles() -> None:
    """Every asset in every bundle, or one of them at least where the verifier says so."""
    given = [bundles.small()[1]]
    named = {"audience": AUDIENCE, "nonce": "5a" * 32, "assets": ["cn-pv-9", bundles.ASSET]}
    strict = Expectation.for_audience(**named)  # type: ignore[arg-type]
    some = Expectation.for_audience(**named, every_asset=False)  # type: ignore[arg-type]
    other = Expectation.for_audience(AUDIENCE, nonce="5a" * 32, assets=["cn-9"], every_asset=False)
    assert [type(together(given, expectation=each)[0]) for each in (strict, some, other)] == [
        ContextError,
        Verified,
        ContextError,
    ]
