"""True bundles whose verdict must not say more than the verifier can know."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from support.bundles import AUDIENCE, NOW, sets, trust
from support.portfolio import Portfolio, full, holdings, manifest_file, portfolio

from proofs.policy import Expectation
from proofs.render import verified_json
from proofs.render_many import print_lines
from proofs.render_selection import selection_rows
from proofs.verify import Verified, verify_bundle


def _by_audience(found: Portfolio) -> Verified:
    """The verdict of somebody who gave an audience and a nonce, and no request file."""
    expectation = Expectation.for_audience(AUDIENCE, nonce=found.nonce)
    return verify_bundle(
        found.build(), trust=trust(), expectation=expectation, sets=sets(), now=NOW
    )


def _said(verified: Verified) -> str:
    assert verified.selection is not None
    return str(selection_rows(verified.selection, verified.facts)) + str(verified_json(verified))


def test_a_request_that_is_not_the_verifiers_chose_nothing_for_him() -> None:
    """A custodian may write a request itself, and name nine good assets of ten in it."""
    found = portfolio(3, chosen_by="request")
    by_audience, by_request = _by_audience(found), found.verify(found.build())
    assert by_audience.selection is not None
    assert by_request.selection is not None
    assert (
        by_audience.selection.chosen_by,
        by_request.selection.chosen_by,
    ) == ("prover", "request")
    assert "list chosen by the prover" in _said(by_audience)
    assert "list given in the request" not in _said(by_audience)
    assert "list given in the request" in _said(by_request)


@pytest.mark.parametrize("chosen_by", ["request", "prover", "manifest"])
def test_a_manifest_says_who_chose_to_everyone(chosen_by: str) -> None:
    """It is signed, so nobody has to know who made the request."""
    manifest = manifest_file(holdings(3), ("capacity", "annual_yield", "fuel", "owner"))
    verified = _by_audience(full(3, chosen_by=chosen_by, manifest=manifest))
    assert verified.selection is not None
    assert verified.selection.chosen_by == "manifest"


@pytest.mark.parametrize(
    ("found", "chosen", "left_out"),
    [
        (portfolio(3), True, False),
        (portfolio(3, chosen_by="request"), False, False),
        (full(3), True, True),
    ],
    ids=["the prover's list", "the verifier's list", "some left out"],
)
def test_one_line_of_many_does_not_hide_what_a_list_leaves_out(
    found: Portfolio, chosen: bool, left_out: bool
) -> None:
    """In a directory every file has a line, and few read the tables behind them."""
    console = Console(file=StringIO(), width=80)
    print_lines(console, ["a.proof.json"], [found.verify(found.build())])
    assert isinstance(console.file, StringIO)
    printed = "".join(console.file.getvalue().split())
    assert chosen is ("名单由证明方选定" in printed)
    assert left_out is ("部分事实有缺项" in printed)
