"""One thing changed before it is signed: both verifiers refuse it in the same class, or take it.

The proofs are stand-ins of the right shape, so what is taken ends in PROOF, and in ENCODING where
the two do not expect the same length. The second verifier's sum of points is left out: it cannot
vanish, and is what takes its time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from independent.apart import FILES, NAMES, PLANT, PLANTS, SEVERAL
from independent.both import first, second
from independent.issuer import (
    AUDIENCE,
    AUTHORITY,
    CID,
    CUSTODIAN,
    NONCE,
    NOW,
    STRANGER,
    Case,
    Document,
    issue,
    set_file,
)
from independent.second_verifier.curve import Equation
from independent.second_verifier.encoding import Tree

FACT = ["yield >= 0.08"]
Change = tuple[str, str, Any]
REMOVED = object()


@pytest.fixture(autouse=True)
def no_sum_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Equation, "vanishes", lambda self: False)


def ask(case: Case, now: str = NOW) -> tuple[str, str]:
    """What both say."""
    asked = {"audience": AUDIENCE, "nonce": NONCE}
    given = {"trust": case.trust, "sets": case.sets, "now": now, **asked}
    return first(case.bundle, **given), second(case.bundle, **given)


def differ(case: Case, now: str = NOW) -> tuple[str, str] | None:
    """What both say, if they do not say the same."""
    said = ask(case, now)
    return None if said[0] == said[1] else said


def put(tree: Any, path: str, value: Any) -> None:
    """Sets, or removes, what stands at a path such as `documents.0.alias`."""
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
    for key in way:
        tree = tree[key]
    if value is REMOVED:
        del tree[last]
    else:
        tree[last] = value


def changed(part: str, path: str, value: Any, **more: Any) -> Case:
    """A bundle with one change in one of its parts."""

    def edit(name: str, tree: Tree) -> None:
        if name == part:
            put(tree, path, value)

    return issue(more.pop("texts", FACT), more.pop("documents", PLANTS), FILES, edit=edit, **more)


INSTANTS = [
    "2026-06-01T00:00:60Z", "2026-06-01T24:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2026-6-01T00:00:00Z", "2026-06-01T00:00:00z", "2026-02-29T00:00:00Z",
    "2026-06-15T12:05:00Z", "2026-06-15T12:05:01Z", "2026-06-30T00:00:00Z", "2026-06-29T23:59:59Z",
    "2026-07-15T00:00:01Z", "2027-01-01T00:00:00Z", "2025-12-31T23:59:59Z", 5, None,
]  # fmt: skip
HOST = "a" * 63


def changes() -> Iterator[Change]:
    """The part of the bundle, the place in it, and what is put there."""
    for at in ("attested_at", "valid_until"):
        yield from (("attestation", at, each) for each in INSTANTS)
    for at in ("granted_at", "not_before", "bundle_expires", "expires"):
        yield from (("grant", at, each) for each in INSTANTS)
    for at in ("not_before", "expires", "requested_at", "request_expires"):
        yield from (("context", at, each) for each in INSTANTS)
    table: dict[tuple[str, str], list[Any]] = {
        ("attestation", "document"): ["0" * 31, "A" * 32, "", 5],
        ("attestation", "version"): [0, 2**31 - 1, 2**31, "1", True],
        ("attestation", "asset"): ["cn-" + "a" * 125, "cn-" + "a" * 126, "-cn", "cn-a/b", "de-1"],
        ("attestation", "as_of"): [{"from": "2026-01-02", "to": "2026-01-01"}, "2026-01-01"],
        ("attestation", "asset_part"): [CID[:-1] + "5", CID.upper(), CID[:-1], "", 5],
        ("attestation", "personal_part"): ["a" * 64, "A" * 64, None],
        ("attestation", "presence"): ["1" * 18, "1" * 20, "0" * 19, "2" * 19, "1" * 18 + "0"],
        ("attestation", "commitments"): ["", "AAAA", 5],
        ("attestation", "extra"): [1],
        ("attestation", "format"): ["crossvault/attestation/v2"],
        ("grant", "asker"): [
            f"spiffe://{domain}/{place}/{name}"
            for domain, place, name in (
                ("example.org", "hk/spv", "X"), ("example.org", "hk/spv", "x_y"),
                ("example.org", "hk/spv", "-x"), ("example.org", "hk/spv", HOST),
                ("example.org", "hk/spv", HOST + "a"), ("example.org", "cn/spv", "x"),
                ("example.org", "cn/custodian", "x"), ("example.org", "hk/auditor", "x"),
                ("a..b", "hk/spv", "x"), ("-a", "hk/spv", "x"), ("A", "hk/spv", "x"),
                (f"{HOST}.{HOST}.{HOST}.{HOST[:52]}", "hk/spv", "x"),
                (f"{HOST}.{HOST}.{HOST}.{HOST[:53]}", "hk/spv", "x"),
            )
        ],
        ("grant", "request"): ["0" * 64, "A" * 64],
        ("grant", "documents"): [[]],
        ("grant", "documents.0.alias"): ["x", "X", ""],
        ("grant", "documents.0.version"): [2, 0],
        ("grant", "sets"): [[{"name": "a", "authority": "0" * 64, "digest": "0" * 64}], None],
        ("grant", "extra"): [1],
        ("context", "audience"): ["", "a" * 500, "a" * 501, "a\u200bb", 5],
        ("context", "purpose"): ["", "\n", "a" * 501],
        ("context", "nonce"): ["A" * 64, "5a" * 31, None, REMOVED],
        ("context", "extra"): [1],
        ("bundle", "context.request"): ["0" * 64],
        ("bundle", "schemas"): [[], [PLANT, PLANT]],
        ("bundle", "documents"): [[]],
        ("bundle", "facts"): [[], [5], [""], ["n" * 4096], ["n" * 4097], ["n\u200b >= 5"]],
        ("bundle", "proof"): ["", "AAAA", "AAA"],
        ("bundle", "documents.0.kind"): ["manifest", 5],
        ("bundle", "documents.0.alias"): ["x", "a" * 64, "a" * 65, "é"],
        ("bundle", "documents.0.envelope.signatures"): [[], {}, [5]],
        ("bundle", "documents.0.envelope.signatures.0.sig"): ["AAAA", "A" * 86 + "==", 5],
        ("bundle", "documents.0.envelope.signatures.0.keyid"): ["aa", AUTHORITY.key_id],
        ("bundle", "documents.0.envelope.payload"): ["", "A" * 21_848],
        ("bundle", "documents.0.envelope.payloadType"): [
            "", "x", 5, "application/vnd.crossvault.grant.v1+json",
        ],
        ("bundle", "documents.0.envelope"): [
            CUSTODIAN.envelope("attestation", data) for data in (b"{}", b"junk", b"[" * 17_000)
        ],
        ("bundle", "grants.0"): [
            *(CUSTODIAN.envelope("grant", data) for data in (b"{}", b"junk", b" " * 70_000)),
            CUSTODIAN.envelope("attestation", b"junk"), STRANGER.envelope("grant", b"junk"),
        ],
        ("bundle", "grants.0.signatures.0.sig"): ["AAAA", "A" * 86 + "=="],
        ("trust", "custodian.0.assets"): [["*"], ["cn-1*"], ["c*-1"], ["cn-2"], [], ["x", "cn-1"]],
        ("trust", "custodian.0.schemas"): [[], ["00"], REMOVED],
        ("trust", "custodian.0.valid_from"): INSTANTS[:15],
        ("trust", "custodian.0.valid_until"): INSTANTS[:15],
        ("trust", "custodian.0.name_en"): ["", "a" * 500, "a" * 501, REMOVED],
        ("trust", "custodian.0.key"): ["AAAA", "A" * 43 + "=", "AQ" + "A" * 41 + "="],
        ("trust", "custodian.0.extra"): [1],
        ("trust", "custodian"): [[]],
        ("trust", "authority.0.assets"): [["cn-*"]],
        ("trust", "set.0.least_version"): [0, 2**31 - 1, 2**31, "1"],
        ("trust", "set.0.authority"): [CUSTODIAN.key_id, "0" * 64],
        ("trust", "set.0.name"): ["X", "few", "a.b"],
        ("trust", "extra"): [[{"a": 1}]],
    }  # fmt: skip
    for (part, path), values in table.items():
        yield from ((part, path, value) for value in values)


def test_one_change_of_a_signed_part() -> None:
    """Instants, ids, names, marks, keys, kinds: from both sides of each bound."""
    found = []
    for part, path, value in changes():
        said = differ(changed(part, path, value))
        found += [] if said is None else [(part, path, str(value)[:60], said)]
    assert found == []


def test_the_edges_of_time() -> None:
    """Beginnings have five minutes, ends none; with a set and without."""
    clocks = [
        "2026-06-15T10:54:59Z", "2026-06-15T10:55:00Z", "2026-06-29T23:59:59Z",
        "2026-06-30T00:00:00Z", "2026-05-31T23:54:59Z", "2026-06-11T23:55:00Z",
        "2027-01-01T00:00:00Z", "2027-12-31T23:59:59Z", "2025-12-31T23:54:59Z",
    ]  # fmt: skip
    plain, named = (
        issue(FACT, PLANTS, FILES),
        issue(["fuel in @fuels"], PLANTS, FILES, use=["fuels"]),
    )
    for clock in clocks:
        assert [differ(plain, clock), differ(named, clock)] == [None, None]


SCHEMA_CHANGES: dict[str, list[Any]] = {
    "name": ["X", "a" * 64, "a" * 65, ""],
    "time_zone": ["UTC", "Asia/Hong_Kong", "Europe/London"],
    "normaliser": ["v2"],
    "title": [{"en": "x" * 200, "zh": "x"}, {"en": "x" * 201, "zh": "x"}, {"en": "x"}],
    "attributes": [[]],
    "attributes.0.name": ["in", "each", "at_", "A", "a-b", "a" * 64, "a" * 65, "n"],
    "attributes.0.label": [{"en": "x", "zh": "x" * 201}, {"en": "x\n", "zh": "x"}],
    "attributes.0.class": ["secret"],
    "attributes.0.optional": [1, "true", True],
    "attributes.0.values": [0, 2],
    "attributes.0.unit": ["", "%", "元/度", "°C", "μm", "a b", "a" * 32, "a" * 33, "1", "²", "m²",
                          "é", "Ω", "Ͱ", "ά", "㎡", "𠀀", "m·s", "m_1", "-"],
    "attributes.0.scale": [0, 18, 19, -1, "3"],
    "attributes.0.min": ["-0", "+5", "5.0", 5, str(-(2**62)), str(-(2**62) - 1), "100000001"],
    "attributes.0.max": [str(2**62), str(2**62 + 1), "-5000", "-5001"],
    "attributes.9.min": ["0001-01-01", "1969-12-31", "1980-02-30", "2100-01-02"],
    "attributes.9.precision": ["month", REMOVED],
    "attributes.10.members": [[], ["B", "A"], ["A", "A"], ["a", "B"], ["A "], ["ﬁ"], ["x" * 1000],
                              ["x" * 1001], ["\uffee", "\U00010000"], ["a", "é", "\U00010000"]],
    "attributes.12.members": [["A"]],
    "attributes.12.type": ["text", REMOVED],
}  # fmt: skip


def test_one_change_of_a_schema() -> None:
    """Names, units, bounds, members and labels at their limits."""
    found = []
    for path, values in SCHEMA_CHANGES.items():
        for value in values:
            tree = copy.deepcopy(PLANT)
            put(tree, path, value)
            said = differ(issue(["n >= 5"], [Document("doc", "cn-1", tree)], FILES))
            found += [] if said is None else [(path, str(value)[:60], said)]
    assert found == []


def _put_in_header(path: str, value: Any, _: str, header: Tree) -> None:
    put(header, path, value)


def test_one_change_of_a_set() -> None:
    """Headers at their limits, and lines that are not the signed ones."""
    table: dict[str, list[Any]] = {
        "version": [0, 2**31 - 1, 2**31], "scale": [1], "unit": ["MW"], "normaliser": ["v2"],
        "issued": INSTANTS, "valid_until": INSTANTS, "source": ["", "a" * 500, "a" * 501],
        "as_of": ["2026-02-30"], "count": [1, 4], "digest": ["0" * 64], "name": ["few"],
        "attribute_type": ["name", "text"], "extra": [1],
    }  # fmt: skip
    members = ["A", "B", "C"]
    files = []
    for path, values in table.items():
        for value in values:
            edit = partial(_put_in_header, path, value)
            files.append(set_file("fuels", "identifier", members, edit=edit))
    good = set_file("fuels", "identifier", members)
    files += [good.replace(b"\nB\n", line) for line in (b"\nb\n", b"\nA\n", b"\n", b"\r\nB\r\n")]
    files += [good[:-1], good + b"\n", good[:-2], set_file("fuels", "name", ["a", "b"])]
    files += [set_file("fuels", "identifier", ["A", "X" * size]) for size in (1000, 1001, 1024)]
    files.append(set_file("fuels", "identifier", members, signer=STRANGER))
    found = []
    for file in files:
        case = issue(["fuel in @fuels"], PLANTS, FILES, use=["fuels"])
        swapped = Case(case.bundle, case.trust, (file,), case.request)
        said = differ(swapped)
        found += [] if said is None else [(file[-200:], said)]
    assert found == []


def test_the_slots_of_absent_attributes() -> None:
    """A fact about what was not attested, alone and beside another failure."""
    marks = "".join("0" if name == "owner" else "1" for name in NAMES)

    def edit(part: str, tree: Tree) -> None:
        if part == "attestation":
            tree["presence"] = marks
            tree["commitments"] = tree["commitments"][64:]

    for texts in (["owner in @names"], ["owner in @names", "n >= 5", "n <= 5"], ["n >= 5"]):
        assert differ(issue(texts, PLANTS, FILES, use=["names"], edit=edit)) is None


def test_the_bundle_of_several_documents_taken_apart() -> None:
    """Order, doubles, and documents that are left out, before and after signing."""
    case_of = {"texts": ["a.n >= 5", "b-2.power >= 5 MW"], "documents": SEVERAL}
    table: list[Change] = [
        ("grant", "documents.2", REMOVED), ("bundle", "documents.2", REMOVED),
        ("bundle", "schemas.1", REMOVED), ("bundle", "documents.1.alias", "a"),
        ("bundle", "documents.1.alias", "b_2"), ("bundle", "documents.0.alias", "z"),
        ("attestation", "document", "0" * 32), ("attestation", "asset", "cn-1"),
    ]  # fmt: skip
    for part, path, value in table:
        assert differ(changed(part, path, value, **case_of)) is None
