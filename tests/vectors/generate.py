"""Makes the test vectors for verifiers: one failure each, with the error class that it must end in.

Proofs hold randomness, so the bundles themselves are made once and kept in `base.json`, with
everything that a verifier needs (request, trust files, sets, the clock). `bundles.json` is made
from it without any randomness, and a test makes it again and compares. A vector is a bundle of the
base with splices (at byte `at`, remove `remove` bytes, insert the bytes `insert`), the verifier's
inputs, and `expect`: `Verified`, or the class of the refusal.

    python tests/vectors/generate.py           writes bundles.json from base.json
    python tests/vectors/generate.py --add     makes what the base lacks first, by its clock
    python tests/vectors/generate.py --base    makes all bundles anew first
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

if "--add" in sys.argv[1:]:
    os.environ["CROSSPROOF_VECTORS_NOW"] = json.loads((HERE / "base.json").read_text())["now"]

from support import books  # noqa: E402
from support import bundles as world  # noqa: E402
from support.bundles import DAY, NOW  # noqa: E402
from vectors import selections  # noqa: E402
from vectors.documents import SEVERAL  # noqa: E402
from vectors.forged import FORGED  # noqa: E402

from proofs.canonical import format_instant  # noqa: E402
from proofs.trust import entry  # noqa: E402

BASE, VECTORS = HERE / "base.json", HERE / "bundles.json"
Tree = dict[str, Any]


# --- the base: made once, with fresh randomness -------------------------------------------------


def make_base() -> Tree:
    """Fresh bundles, and all that a verifier needs beside them."""
    six, one = world.good(), world.small()
    scope = {"schemas": [world.schema().digest], "assets": ["cn-pv-*"]}
    stranger = entry("custodian", world.signer_entry(world.STRANGER) | scope)
    return {
        "now": format_instant(NOW),
        "audience": world.AUDIENCE,
        "nonce": "5a" * 32,
        "bundles": {
            "six-facts": base64.b64encode(six[1]).decode(),
            "one-range": base64.b64encode(one[1]).decode(),
            **{
                name: base64.b64encode(forge()).decode()
                for name, _, forge, _ in FORGED + SEVERAL + selections.LISTS
            },
        },
        "requests": {
            "six-facts": six[0].request.data.decode(),
            "one-range": one[0].request.data.decode(),
            "other-nonce": world.request(world.SMALL_FACTS, nonce="00" * 32).data.decode(),
            "other-purpose": world.request(world.SMALL_FACTS, purpose="Other").data.decode(),
        },
        "trust": {
            "pinned": world.trust_text(),
            "no-scope": world.trust_text(custodian={"assets": []}),
            "other-asset": world.trust_text(custodian={"assets": ["cn-swap-*"]}),
            "other-schema": world.trust_text(custodian={"schemas": ["00" * 32]}),
            "key-expired": world.trust_text(custodian={"valid_until": format_instant(NOW)}),
            "key-younger-than-attestation": world.trust_text(
                custodian={"valid_from": format_instant(NOW - DAY)}
            ),
            "newer-set-wanted": world.trust_text(least_version=4),
            "only-a-stranger": stranger,
            "books": world.trust_text(
                custodian={"schemas": [books.book().digest, world.schema().digest]}
            ),
        },
        "sets": {
            "fuels": world.named_set("fuels").export().decode(),
            "sanctions": world.named_set("sanctions").export().decode(),
            "sanctions-newer": world.named_set("sanctions", version=4, extra=("Newly Listed",))
            .export()
            .decode(),
        },
    }


# --- the vectors: made from the base, without randomness ----------------------------------------


def splices(before: bytes, after: bytes) -> list[Tree]:
    """The one splice that makes `after` of `before`."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    insert = after[start : len(after) - end]
    return [
        {
            "at": start,
            "remove": len(before) - end - start,
            "insert": base64.b64encode(insert).decode(),
        }
    ]


def apply(data: bytes, changes: list[Tree]) -> bytes:
    """A bundle with its splices done."""
    for each in changes:
        at, remove = each["at"], each["remove"]
        data = data[:at] + base64.b64decode(each["insert"]) + data[at + remove :]
    return data


def make_vectors(base: Tree) -> list[Tree]:
    """Every vector, in a fixed order."""
    one = base64.b64decode(base["bundles"]["one-range"])
    found: list[Tree] = []

    def add(name: str, attack: str, expect: str, **inputs: object) -> None:
        data = inputs.pop("data", None)
        vector: Tree = {
            "name": name,
            "attack": attack,
            "bundle": "one-range",
            "splices": [] if data is None else splices(one, data),  # type: ignore[arg-type]
            "request": None,
            "audience": base["audience"],
            "nonce": base["nonce"],
            "trust": "pinned",
            "sets": ["fuels", "sanctions"],
            "now": base["now"],
            "expect": expect,
        }
        found.append(vector | inputs)

    add("one-range", "none", "Verified")
    add("six-facts", "none", "Verified", bundle="six-facts")
    for name in ("one-range", "six-facts"):
        asked = {"bundle": name, "request": name, "audience": None, "nonce": None}
        add(f"{name}-by-request", "none", "Verified", **asked)
    for name, attack, _, expect in FORGED:
        add(name, attack, expect, bundle=name)
    for name, attack, _, expect in SEVERAL:
        add(name, attack, expect, bundle=name, trust="books")
    _several(base64.b64decode(base["bundles"]["three-documents"]), add)
    _spellings(one, add)
    _proofs(one, add)
    _expectations(add)
    selections.add_lists(base["bundles"], add, splices)
    return found


def _several(three: bytes, add: Callable[..., None]) -> None:
    tree = json.loads(three)
    documents, schemas = tree["documents"], tree["schemas"]
    one, two, last = documents
    exchanged = [one | {"envelope": two["envelope"]}, two | {"envelope": one["envelope"]}, last]
    for name, attack, expect, fields in (
        ("documents-permuted", "another order", "EncodingError", documents[::-1]),
        ("document-repeated", "one alias twice", "EncodingError", [*documents, last]),
        ("document-left-out", "a document less", "GrantError", [one, last]),
        ("documents-exchanged", "two in each other's place", "GrantError", exchanged),
        ("alias-other", "another name", "GrantError", [one | {"alias": "aa"}, two, last]),
    ):
        data = splices(three, _with(tree, documents=fields))
        add(name, attack, expect, bundle="three-documents", trust="books", splices=data)
    for name, attack, fields in (
        ("schemas-permuted", "another order", schemas[::-1]),
        ("schema-repeated", "one schema twice", [schemas[0], *schemas]),
    ):
        data = splices(three, _with(tree, schemas=fields))
        add(name, attack, "BindingError", bundle="three-documents", trust="books", splices=data)


def _spellings(one: bytes, add: Callable[..., None]) -> None:
    tree = json.loads(one)
    digest, signature = tree["context"]["request"], tree["grants"][0]["signatures"][0]["sig"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = signature[:-3] + alphabet[alphabet.index(signature[-3]) + 1] + "=="
    end = one[:-1]
    for name, attack, data in (
        ("cut-off", "the last byte missing", end),
        ("cut-in-half", "half of the file", one[: len(one) // 2]),
        ("empty", "no file content", b""),
        ("line-end", "a line end behind the file", one + b"\n"),
        ("byte-order-mark", "a byte order mark before it", b"\xef\xbb\xbf" + one),
        ("space", "one space between two tokens", one.replace(b'"facts":[', b'"facts": [')),
        ("escape", "a letter as an escape", one.replace(b'"Harbour', b'"\\u0048arbour')),
        ("hex-case", "a digest in capitals", one.replace(digest.encode(), digest.upper().encode())),
        ("base64-bits", "unused bits set", one.replace(signature.encode(), loose.encode())),
        ("version", "another format version", one.replace(b"bundle/v1", b"bundle/v2")),
        ("unknown-field", "a field that this version does not know", end + b',"z":1}'),
        ("repeated-field", "a field twice", end + b',"sets":[]}'),
        ("float", "a number with a point", end + b',"z":1.0}'),
        ("huge-number", "a number past every integer", end + b',"z":1e400}'),
        ("deep", "ten thousand brackets", b"[" * 10_000),
        ("not-utf8", "a byte that is no UTF-8", one.replace(b"Harbour", b"Harb\xffur")),
        ("no-grant", "the grant left out", _with(tree, grants=[])),
        ("two-grants", "the grant twice", _with(tree, grants=tree["grants"] * 2)),
        ("no-facts", "no facts at all", _with(tree, facts=[])),
        ("fact-twice", "one fact twice", _with(tree, facts=tree["facts"] * 2)),
        (
            "other-evidence",
            "a kind of evidence unknown here",
            one.replace(b'"kind":"a', b'"kind":"b'),
        ),
    ):
        add(name, attack, "EncodingError", data=data)
    signatures = tree["grants"][0]["signatures"]
    doubled = [tree["grants"][0] | {"signatures": signatures * 2}]
    add("two-signatures", "a second signature", "SignatureError", data=_with(tree, grants=doubled))
    edited = _payload(tree["grants"][0], b'"version":2', b'"version":1')
    add("grant-edited", "a consent edited", "SignatureError", data=_with(tree, grants=[edited]))
    document = tree["documents"][0]
    edited = document | {"envelope": _payload(document["envelope"], b'"to":"2026', b'"to":"2027')}
    add("attestation-edited", "a later day", "SignatureError", data=_with(tree, documents=[edited]))
    other = document["envelope"] | {"payloadType": tree["grants"][0]["payloadType"]}
    moved = _with(tree, documents=[document | {"envelope": other}])
    add("attestation-as-grant", "one kind of payload as another", "SignatureError", data=moved)


def _proofs(one: bytes, add: Callable[..., None]) -> None:
    tree = json.loads(one)
    proof = base64.b64decode(tree["proof"])
    order = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    last = (int.from_bytes(proof[-32:], "big") + order).to_bytes(32, "big")

    def put(name: str, attack: str, expect: str, changed: bytes) -> None:
        data = _with(tree, proof=base64.b64encode(changed).decode())
        add(name, attack, expect, data=data)

    put("proof-short", "the last scalar missing", "EncodingError", proof[:-32])
    put("proof-long", "a byte behind the proof", "EncodingError", proof + b"\0")
    put("proof-identity", "a point at infinity", "EncodingError", b"\xc0" + bytes(47) + proof[48:])
    junk = b"\xc0" + b"\x01" * 47 + proof[48:]
    put("proof-junk-infinity", "junk behind an infinity flag", "EncodingError", junk)
    flags = bytes([proof[0] & 0x7F]) + proof[1:]
    put("proof-uncompressed", "the compression flag missing", "EncodingError", flags)
    past = b"\x9f" + b"\xff" * 47 + proof[48:]
    put("proof-coordinate", "a coordinate past the field", "EncodingError", past)
    put("proof-scalar", "a scalar past the group's order", "EncodingError", proof[:-32] + last)
    negated = bytes([proof[0] ^ 0x20]) + proof[1:]
    put("proof-negated", "a point with the other sign", "ProofError", negated)
    swapped = proof[48:96] + proof[:48] + proof[96:]
    put("proof-swapped", "two points exchanged", "ProofError", swapped)
    # (0, 2) is on the curve, of order 3; a decoder that takes x = 0 for the identity refuses it.
    small = b"\x80" + bytes(47) + proof[48:]
    put("proof-small-order", "a point of order 3, with x = 0", "ProofError", small)


def _expectations(add: Callable[..., None]) -> None:
    by_file = {"audience": None, "nonce": None}
    six = {"bundle": "six-facts"}
    for name, attack, expect, inputs in (
        ("audience-other", "made for another", "ContextError", {"audience": "Somebody Else"}),
        ("nonce-other", "another question's answer", "ContextError", {"nonce": "00" * 32}),
        ("nonce-none", "the verifier gave no nonce", "ContextError", {"nonce": None}),
        ("request-nonce", "another nonce", "ContextError", {"request": "other-nonce"} | by_file),
        (
            "request-purpose",
            "another purpose",
            "ContextError",
            {"request": "other-purpose"} | by_file,
        ),
        ("request-facts", "other facts", "ContextError", {"request": "six-facts"} | by_file),
        ("trust-scope-none", "a custodian without a scope", "TrustError", {"trust": "no-scope"}),
        ("trust-scope-asset", "out of scope: asset", "TrustError", {"trust": "other-asset"}),
        ("trust-scope-schema", "out of scope: schema", "TrustError", {"trust": "other-schema"}),
        ("trust-key-expired", "a retired key", "TrustError", {"trust": "key-expired"}),
        (
            "trust-key-young",
            "signed before the key was in force",
            "TrustError",
            {"trust": "key-younger-than-attestation"},
        ),
        ("trust-stranger", "nobody known signed it", "TrustError", {"trust": "only-a-stranger"}),
        (
            "set-missing",
            "a set not at hand",
            "SetError",
            six | {"sets": ["fuels"]},
        ),
        (
            "set-newer",
            "proven about the list before the newest name",
            "SetError",
            six | {"sets": ["fuels", "sanctions-newer"]},
        ),
        (
            "set-least-version",
            "an older list than the trust file takes",
            "SetError",
            six | {"trust": "newer-set-wanted"},
        ),
        ("clock-late", "a year later", "TrustError", {"now": "2999-01-01T00:00:00Z"}),
    ):
        add(name, attack, expect, **inputs)


def _with(tree: Tree, **fields: object) -> bytes:
    changed = tree | fields
    return json.dumps(changed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _payload(envelope: Tree, old: bytes, new: bytes) -> Tree:
    payload = base64.b64decode(envelope["payload"])
    changed = payload.replace(old, new)
    if changed == payload:
        raise ValueError("nothing to change")
    return envelope | {"payload": base64.b64encode(changed).decode()}


def write(path: Path, value: object) -> None:
    """Readable JSON with a line end."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """See the module's docstring."""
    if "--base" in sys.argv[1:]:
        write(BASE, make_base())
    if "--add" in sys.argv[1:]:
        kept = json.loads(BASE.read_text(encoding="utf-8"))
        for part, made in make_base().items():
            kept[part] = made | kept[part] if isinstance(made, dict) else kept[part]
        write(BASE, {**kept})
    write(VECTORS, make_vectors(json.loads(BASE.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
