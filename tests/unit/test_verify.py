"""What verification gives back, one bundle or many, and the verdict's table."""

from __future__ import annotations

import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console
from support.bundles import (
    AUDIENCE,
    FACTS,
    NOW,
    SMALL_FACTS,
    VALUES,
    Parts,
    answering,
    good,
    named_set,
    parts,
    request,
    schema,
    sets,
    small,
    trust,
)

from proofs import canonical
from proofs.bundle import Bundle
from proofs.errors import ContextError, CrossproofError, EncodingError, ProofError
from proofs.policy import Expectation
from proofs.render import (
    print_claims,
    print_refused,
    print_trust,
    print_verified,
    refused_json,
    verified_json,
)
from proofs.verify import Verified, verify_bundle
from proofs.verify_many import verify_many

ANYONE = Expectation.for_audience(AUDIENCE, nonce="5a" * 32)


def verified() -> Verified:
    return verify_bundle(good()[1], trust=trust(), expectation=ANYONE, sets=sets(), now=NOW)


def many(bundles: list[bytes]) -> list[Verified | CrossproofError]:
    return verify_many(bundles, trust=trust(), expectation=ANYONE, sets=sets(), now=NOW)


def false_proof() -> bytes:
    """A bundle that is in order but for the proof, which is another's."""
    other = answering(parts(SMALL_FACTS), request(SMALL_FACTS, nonce="00" * 32)).build()
    tree = json.loads(small()[1])
    tree["proof"] = json.loads(other)["proof"]
    return json.dumps(tree, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def test_the_verdict_holds_what_was_verified() -> None:
    """Document, custodian, facts, sets, context: all from checked bytes."""
    found = verified()
    assert found.documents[0].attestation.digest == good()[0].attested.digest
    assert found.custodian.name_zh == "示例托管有限公司"
    assert found.facts == good()[0].request.facts
    assert len(found.facts) == len(FACTS)
    assert [each.named.name for each in found.sets] == ["fuels", "sanctions"]
    assert found.context.request == good()[0].request.digest
    assert found.checked_at == NOW


def test_a_set_may_be_written_out_and_reused() -> None:
    """Literal sets, both polarities of one named set, and several ranges on one attribute."""
    facts = (
        "province in {Guangdong, Jiangsu}",
        "fuel in {COAL, SOLAR, WIND}",
        "fuel in @fuels",
        "annual_yield >= 0.05",
        "annual_yield <= 0.2",
        "annual_yield in 0.06..0.19",
    )
    data = parts(facts).build()
    found = verify_bundle(data, trust=trust(), expectation=ANYONE, sets=sets(), now=NOW)
    assert len(found.facts) == 6


def test_a_batch_says_what_each_alone_says() -> None:
    """Good ones stay good beside bad ones, in the order given."""
    batch = [small()[1], false_proof(), good()[1], b"{}", small()[1]]
    outcomes = many(batch)
    kinds = [type(each) for each in outcomes]
    assert kinds == [Verified, ProofError, Verified, EncodingError, Verified]
    alone = []
    for data in batch:
        try:
            alone.append(
                verify_bundle(data, trust=trust(), expectation=ANYONE, sets=sets(), now=NOW).bundle
            )
        except CrossproofError as error:
            alone.append(error.reason)
    assert [
        each.bundle if isinstance(each, Verified) else each.reason for each in outcomes
    ] == alone


def test_a_batch_of_good_ones_and_an_empty_batch() -> None:
    """All verified; nothing asked, nothing said."""
    assert [type(each) for each in many([small()[1], good()[1]])] == [Verified, Verified]
    assert many([]) == []


def test_one_bundle_for_each_audience() -> None:
    """The same facts for two audiences are two bundles, and neither serves the other."""
    other = answering(parts(SMALL_FACTS), request(SMALL_FACTS, audience="Somebody Else"))
    theirs = Expectation.for_audience("Somebody Else", nonce="5a" * 32)
    data = other.build()
    assert verify_bundle(data, trust=trust(), expectation=theirs, sets=(), now=NOW)
    with pytest.raises(ContextError):
        verify_bundle(data, trust=trust(), expectation=ANYONE, sets=(), now=NOW)


# --- the table ----------------------------------------------------------------------------------


def printed(width: int, *, terminal: bool) -> list[str]:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        color_system=None,
        highlight=False,
        markup=False,
        legacy_windows=False,
    )
    print_verified(console, verified())
    return out.getvalue().splitlines()


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_lines_up(width: int, terminal: bool) -> None:
    """No line is wider than the terminal, and every value begins in the same cell."""
    lines = [line.rstrip() for line in printed(width, terminal=terminal)]
    assert max(cell_len(line) for line in lines) <= width
    table = lines[:-1]
    labels = [line for line in table if not line.startswith(" ")]
    starts = set()
    for line in labels:
        for at in range(len(line)):
            if cell_len(line[:at]) == 16:
                starts.add((line[at - 1], line[at] != " "))
    assert starts == {(" ", True)}
    assert all(line.startswith(" " * 16) for line in table if line.startswith(" "))
    # A digest is compared by eye: it stands on one line.
    assert any(verified().custodian.keyid in line for line in lines)


def test_the_table_says_all_that_it_must() -> None:
    """Document, asset, facts, signer, dates, sets, audience, purpose, time, verdict."""
    found = verified()
    text = "\n".join(printed(120, terminal=False))
    for needed in (
        found.documents[0].attestation.asset,
        found.documents[0].attestation.document,
        "version 2",
        "光伏电站",
        "2026-06-30",
        *found.facts,
        found.custodian.name_zh,
        found.custodian.name_en,
        found.custodian.keyid,
        "@sanctions version 3, as of 2026-06-20",
        "exact match only",
        AUDIENCE,
        found.context.purpose,
        "spiffe://example.org/hk/spv/harbour",
        f"{found.context.expires:%Y-%m-%d %H:%M:%S} UTC",
        "VERIFIED 已验证",
    ):
        assert needed in text
    assert str(VALUES["owner"]) not in text


def test_texts_of_others_are_not_markup() -> None:
    """An audience in square brackets is shown as it is written."""
    other: Parts = answering(parts(SMALL_FACTS), request(SMALL_FACTS, audience="[red]A[/red]"))
    expectation = Expectation.for_audience("[red]A[/red]", nonce="5a" * 32)
    found = verify_bundle(other.build(), trust=trust(), expectation=expectation, sets=(), now=NOW)
    out = io.StringIO()
    print_verified(Console(file=out, width=100), found)
    assert "[red]A[/red]" in out.getvalue()


def test_a_refusal_and_an_inspection_cannot_be_taken_for_a_verdict() -> None:
    """One says NOT, the other UNVERIFIED at both ends."""
    out = io.StringIO()
    console = Console(file=out, width=80)
    print_refused(console, ContextError("made for [bold]you[/bold]"))
    assert out.getvalue().startswith("NOT VERIFIED")
    assert "[bold]you[/bold]" in out.getvalue()
    out.truncate(0)
    out.seek(0)
    print_claims(console, Bundle.parse(good()[1]))
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("UNVERIFIED")
    assert lines[-1].startswith("UNVERIFIED")
    assert sum("VERIFIED 已验证" in line for line in lines) == 0


def test_texts_of_others_begin_no_line() -> None:
    """A long fact or audience, folded, neither looks like another fact nor like a verdict."""
    out = io.StringIO()
    console = Console(file=out, width=80)
    fact = 'fuel in {"SOLAR' + 50 * " " + '2. capacity >= 90 MW"}'
    tree = json.loads(good()[1])
    tree["facts"] = [fact, "capacity >= 20 MW"]
    print_claims(console, Bundle.parse(canonical.dump(tree)))

    def column(number: str, text: str) -> int:
        (line,) = [each for each in out.getvalue().splitlines() if text in each]
        return cell_len(line.partition(number)[0])

    assert column("1.", "SOLAR") == column("2.", "20 MW") < column("2.", "90 MW")
    out.truncate(0)
    out.seek(0)
    print_refused(console, ContextError("made for " + 60 * "x " + "VERIFIED 已验证"))
    lines = out.getvalue().splitlines()
    assert len(lines) > 2
    assert [line.startswith(" ") for line in lines[1:]] == [True] * (len(lines) - 1)


def test_trust_is_shown() -> None:
    """Whom, for what, which sets."""
    out = io.StringIO()
    print_trust(Console(file=out, width=100), trust())
    for needed in ("示例托管有限公司", "cn-pv-*", schema().digest, "@fuels from version 2"):
        assert needed in out.getvalue()


def test_json_holds_the_same() -> None:
    """For machines: plain values, in Chinese as it is, and a stable reason for a refusal."""
    found = json.loads(json.dumps(verified_json(verified())))
    assert found["verified"] is True
    assert found["facts"] == list(good()[0].request.facts)
    assert found["sets"][1]["name"] == "sanctions"
    assert found["sets"][1]["digest"] == named_set().header.digest
    assert found["attested_by"]["name_zh"] == "示例托管有限公司"
    refused = refused_json(ContextError("no"))
    assert refused == {"verified": False, "reason": "CONTEXT", "message": "no"}
