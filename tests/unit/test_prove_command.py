"""Which documents `crossvault prove` is about: one without an alias, several each with its own."""

from __future__ import annotations

import click
import pytest

from vault.cli.prove import aliases

ONE, TWO = "0" * 32, "1" * 32


def test_one_document_needs_no_alias() -> None:
    """It is `doc` in the request, as it always was, unless it is given another."""
    assert aliases((ONE,)) == {"doc": ONE}
    assert aliases((f"plant={ONE}",)) == {"plant": ONE}
    assert aliases((f"b={ONE}", f"a={TWO}")) == {"b": ONE, "a": TWO}


@pytest.mark.parametrize(
    "documents", [(ONE, TWO), (f"a={ONE}", TWO), (f"a={ONE}", f"a={TWO}")], ids=str
)
def test_several_need_an_alias_each(documents: tuple[str, ...]) -> None:
    """Facts must say which they are about."""
    with pytest.raises(click.UsageError, match="ALIAS=ID"):
        aliases(documents)
