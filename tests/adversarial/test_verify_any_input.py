"""No input of the verifier ends in a traceback: any node of a bundle, or of what is signed.

Where a dishonest prover is needed, `Parts.forge` makes a proof that is right for what stands in
the bundle, so nothing but the named check can refuse it. The numbers are those of SPEC.md,
"Verification procedure".
"""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import (
    CUSTODIAN,
    good,
    private_key,
    small,
)
from support.checks import (
    refused,
)

from proofs import canonical, envelope
from proofs.envelope import PayloadType
from proofs.errors import (
    CrossproofError,
)

# --- no input ends in a traceback ---------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=20)
    | st.sampled_from(["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "00" * 32, "AAAA", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def places(tree: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all nodes but the root."""
    found: list[tuple[str | int, ...]] = [path] if path else []
    if isinstance(tree, dict):
        steps: list[tuple[str | int, object]] = list(tree.items())
    elif isinstance(tree, list):
        steps = list(enumerate(tree))
    else:
        steps = []
    for step, inner in steps:
        found += places(inner, (*path, step))
    return found


def with_node(tree: dict[str, object], path: tuple[str | int, ...], value: object) -> bytes | None:
    """The tree with one node replaced, canonical; None where it cannot be written."""
    at: object = tree
    for step in path[:-1]:
        at = at[step]  # type: ignore[index]
    at[path[-1]] = value  # type: ignore[index]
    try:
        return canonical.dump(tree)
    except CrossproofError:
        return None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_node_replaced_by_anything_is_refused(data: st.DataObject) -> None:
    """Every field of the file, with values of every type: refused, and by our errors only."""
    tree = json.loads(good()[1])
    path = data.draw(st.sampled_from(places(tree)))
    changed_bundle = with_node(tree, path, data.draw(JSON))
    if changed_bundle is not None and changed_bundle != good()[1]:
        refused(CrossproofError, "", changed_bundle)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["attestation", "grant"]), st.data())
def test_whatever_the_custodian_signs_is_no_traceback(kind: str, data: st.DataObject) -> None:
    """A signed payload with any node replaced by anything: refused, or nothing was changed."""
    tree = json.loads(small()[1])
    payload = small()[0].attestation if kind == "attestation" else small()[0].grant
    inner = json.loads(payload)
    path = data.draw(st.sampled_from(places(inner)))
    changed_payload = with_node(inner, path, data.draw(JSON))
    if changed_payload is None or changed_payload == payload:
        return
    types = {"attestation": PayloadType.ATTESTATION, "grant": PayloadType.GRANT}
    signed = json.loads(envelope.sign(types[kind], changed_payload, private_key(CUSTODIAN)))
    if kind == "attestation":
        tree["documents"][0]["envelope"] = signed
    else:
        tree["grants"] = [signed]
    refused(CrossproofError, "", canonical.dump(tree))
