"""The schema of a selection is read when it is the one that was attested, as that of a document."""

from __future__ import annotations

from typing import Any

import pytest
from support.checks import changed
from support.portfolio import Portfolio, holdings, manifest_file, portfolio

from proofs.errors import BindingError, CrossproofError, SignatureError

HUGE = {"format": "crossvault/schema/v1", "attributes": [{"members": ["海" * 1000] * 5000}]}
BY_MANIFEST = portfolio(3, manifest=manifest_file(holdings(3)))


@pytest.mark.parametrize("found", [portfolio(3), BY_MANIFEST], ids=["attestations", "manifest"])
@pytest.mark.parametrize("other", [HUGE, {}, "x"], ids=["large", "empty", "a text"])
@pytest.mark.parametrize(
    ("forged", "error"), [(True, SignatureError), (False, BindingError)], ids=["forged", "signed"]
)
def test_nothing_is_read_of_a_schema_that_nobody_attested(
    found: Portfolio, other: Any, forged: bool, error: type[CrossproofError]
) -> None:
    """Whoever writes it has signed nothing; signatures are checked before, and its digest."""

    def edit(tree: dict[str, Any]) -> None:
        tree["schemas"] = [other]
        chosen = tree["selection"]
        if forged and "manifest" in chosen:
            chosen["manifest"]["signatures"][0]["sig"] = "A" * 86 + "=="
        elif forged:
            chosen["attested"][0]["sig"] = "A" * 86 + "=="

    with pytest.raises(error):
        found.verify(changed(found.build(), edit))
