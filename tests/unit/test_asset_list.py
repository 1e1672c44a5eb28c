"""Lists of assets as people keep them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.asset_list import LIMIT, read_assets
from proofs.errors import EncodingError


def test_a_file_of_assets_has_one_id_a_line() -> None:
    """Empty lines and remarks say nothing; what is no id, or stands twice, is refused."""
    assert read_assets(b"cn-1\n\n  cn-2  # the second\n# all\n", where="f") == ["cn-1", "cn-2"]
    for data, reason in (
        (b"", "0 asset ids"),
        (b"cn 1\n", "an asset id is"),
        (b"\xff\n", "not a list"),
        (b"cn-1\ncn-2\ncn-1\n", "cn-1 more than once"),
        (b"#" * (LIMIT + 1), "over"),
        (b"".join(b"a%d\n" % n for n in range(16_385)), "16385 asset ids"),
    ):
        with pytest.raises(EncodingError, match=reason):
            read_assets(data, where="f")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """By our own error, and what is read is distinct."""
    try:
        found = read_assets(data, where="f")
    except EncodingError:
        return
    assert len(set(found)) == len(found) >= 1
