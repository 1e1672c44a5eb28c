"""Seeded changes of JSON trees: what somebody tries who knows the format and not the key.

One call makes one change at one node, at any depth: replaced, nudged by one, deleted, doubled,
put elsewhere, or exchanged for a node of another tree. Nothing here knows what a tree means.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**53 - 1, 2**53, -(2**53), 2**64, 1.5, 1e300),
    *("", "0", "null", "a", "A" * 65, "x" * 5000, "\x00", "\u202e", "é", "é", "\ud800", "😀"),
    *("AAAA", "AAA=", "AAB=", "0" * 64, "F" * 64, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("2026-02-30T00:00:00Z", "2026-01-01T00:00:00+00:00", "spiffe://example.org/cn/vault/main"),
    *([], {}, [[]], [{}], {"": ""}, {"format": "crossvault/bundle/v1"}),
)
"""Values that are wrong nearly everywhere, and a few that are right somewhere."""

KEYS = ("", "format", "payload", "version", "extra", "Format", "format ", "__proto__", "é")

Place = tuple[Any, Any]
"""A container and the key or index of a node in it."""


def mutate(tree: Any, rng: random.Random, donor: Any = None, *, plausible: bool = False) -> Any:
    """A changed copy; it may by chance be equal to the original.

    `donor` is another tree whose nodes may be taken over. A plausible change keeps the form of
    things: what is wrong then is the meaning, and a reader gets past the first check.
    """
    root = [copy.deepcopy(tree)]
    places = list(_walk(root))
    # The root itself seldom: a small tree would be replaced whole too often.
    container, key = places[0] if rng.random() < 0.01 else rng.choice(places[1:] or places)
    operations = [_replace, _nudge, _nudge, _delete, _double, _reorder, _graft]
    if plausible:
        operations = [_vary] * 3 + [_reorder]
    if donor is not None and container is not root:
        operations += [_splice] * 2
    rng.choice(operations)(root, container, key, rng, donor)
    return root[0] if root else None


def spell(tree: Any, rng: random.Random) -> bytes:
    """The tree in a spelling that is probably not the canonical one."""
    style: dict[str, Any] = rng.choice(
        [
            {"indent": 1, "ensure_ascii": False},
            {"separators": (",", ":"), "ensure_ascii": True},
            {"separators": (", ", ":"), "ensure_ascii": False, "sort_keys": True},
            {"separators": (",", ":"), "ensure_ascii": False},
        ]
    )
    if isinstance(tree, dict) and rng.random() < 0.5:
        items = list(tree.items())
        rng.shuffle(items)
        tree = dict(items)
    return json.dumps(tree, **style).encode("utf-8", "surrogatepass")


def compact(tree: Any) -> bytes:
    """The canonical spelling of a tree that has one, and for any other one that is near."""
    text = json.dumps(tree, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def nudged_text(text: str, rng: random.Random) -> str:
    """One character changed, a digit by one if there is any."""
    if not text:
        return "a"
    digits = [place for place, character in enumerate(text) if character in "0123456789"]
    if digits and rng.random() < 0.5:
        place = rng.choice(digits)
        changed = str((int(text[place]) + rng.choice((1, 9))) % 10)
        return text[:place] + changed + text[place + 1 :]
    place = rng.randrange(len(text))
    kind = rng.randrange(5)
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place] + text[place:]
    if kind == 2:
        return text[:place] + rng.choice("aAzZ09+/=-_ .\t\u200bé") + text[place + 1 :]
    if kind == 3:
        return text[:place] + text[place].swapcase() + text[place + 1 :]
    return text + rng.choice((" ", "=", "A", "\n", "\u00a0"))


def varied_text(text: str, rng: random.Random) -> str:
    """One letter or digit exchanged for another of its kind, as a date, digest or name has them."""
    places = [place for place, character in enumerate(text) if character.isalnum()]
    if not places:
        return text + "a"
    place = rng.choice(places)
    for alphabet in ("0123456789", "abcdef", "ABCDEF", "abcdefghijklmnopqrstuvwxyz"):
        if text[place] in alphabet:
            return text[:place] + rng.choice(alphabet) + text[place + 1 :]
    return text[:place] + rng.choice("GHJKLM") + text[place + 1 :]


def _walk(container: Any) -> Iterator[Place]:
    keys = list(container) if isinstance(container, dict) else range(len(container))
    for key in keys:
        yield container, key
        if isinstance(container[key], dict | list):
            yield from _walk(container[key])


def _replace(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    container[key] = copy.deepcopy(rng.choice(JUNK))


def _nudge(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    value = container[key]
    if isinstance(value, bool):
        container[key] = not value
    elif isinstance(value, int):
        container[key] = value + rng.choice((-1, 1))
    elif isinstance(value, str):
        container[key] = nudged_text(value, rng)
    elif isinstance(container, dict) and key in container:
        container[nudged_text(key, rng)] = container.pop(key)
    else:
        container[key] = copy.deepcopy(rng.choice(JUNK))


def _vary(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    value = container[key]
    if isinstance(value, str):
        container[key] = varied_text(value, rng)
    elif isinstance(value, list) and len(value) > 1:
        rng.shuffle(value)
    else:
        _nudge(root, container, key, rng, donor)


def _delete(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    del container[key]


def _double(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    twin = copy.deepcopy(container[key])
    if isinstance(container, list):
        container.insert(rng.choice((key, len(container))), twin)
    else:
        container[rng.choice((*KEYS, *container))] = twin


def _reorder(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    keys = list(container) if isinstance(container, dict) else range(len(container))
    other = rng.choice(keys)
    container[key], container[other] = container[other], container[key]


def _graft(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    source, place = rng.choice(list(_walk(root)))
    container[key] = copy.deepcopy(source[place])


def _splice(root: Any, container: Any, key: Any, rng: random.Random, donor: Any) -> None:
    places = list(_walk([donor]))
    alike = [place for place in places if place[1] == key]
    source, place = rng.choice(alike if alike and rng.random() < 0.8 else places)
    container[key] = copy.deepcopy(source[place])
