"""Normaliser v1 and the scalars of texts: one result on every Python, nothing that hides."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import text_corpus

from proofs import normaliser
from proofs.errors import SchemaError
from proofs.group import ORDER
from proofs.text import MAX_TEXT, TextKind, normalise, safe_for_display, text_scalar
from proofs.unicode14 import REFUSED

ROOT = Path(__file__).parents[2]
RESULTS = 285_315
PINNED_SCALAR = "0xca03297bbedbe92d2b089a15a86b5125e93e0a838442b1f9a8e88afe3686694"
DIGEST = "a207963ae2587e4e72c83e6a344de6395f07e3236cff49dbd14c421c828558c5"


def test_results_are_those_of_unicode_14_on_this_python() -> None:
    """285,315 results, nearly every code point under every kind, have their pinned digest."""
    assert text_corpus.corpus_digest() == (RESULTS, DIGEST)


def _other_pythons() -> list[str]:
    """Interpreters installed beside this one, of other versions from 3.11 on."""
    found = {}
    for path in sorted(Path(sys.base_prefix).parent.glob("*/bin/python3")):
        version = re.search(r"3\.(\d+)", path.parents[1].name)
        if version and int(version[1]) >= 11 and int(version[1]) != sys.version_info.minor:
            found[version[1]] = str(path)
    return list(found.values())


def test_other_pythons_agree() -> None:
    """Interpreters whose unicodedata is newer give the digest of Unicode 14.0 too."""
    pythons = _other_pythons()
    if not pythons:
        pytest.skip("no other Python installed beside this one")
    script = str(ROOT / "tests" / "support" / "text_corpus.py")
    runs = [
        subprocess.Popen([python, "-I", script], stdout=subprocess.PIPE, text=True)
        for python in pythons
    ]
    assert [run.communicate()[0].split() for run in runs] == [[str(RESULTS), DIGEST]] * len(runs)


def test_table_is_what_its_script_writes() -> None:
    """The shipped table of refused code points is the generator's output, byte for byte."""
    if unicodedata.unidata_version != "14.0.0":
        pytest.skip("the generator runs on a Python with Unicode 14.0 (3.11)")
    script = str(ROOT / "tools" / "unicode14.py")
    written = subprocess.run([sys.executable, script], capture_output=True, check=True).stdout
    assert written == (ROOT / "proofs" / "unicode14.py").read_bytes()


def test_table_is_ascending_and_disjoint() -> None:
    """Ranges of the table are in order and do not touch, so no entry is lost in another."""
    bounds = [
        (int(low, 16), int(high or low, 16))
        for low, _, high in (word.partition("-") for word in REFUSED.split())
    ]
    assert all(a <= b for a, b in bounds)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(bounds))


@pytest.mark.parametrize(
    ("kind", "text", "normal"),
    [
        ("identifier", "  abc-１２ ", "ABC-12"),
        ("identifier", "straße", "STRASSE"),
        ("identifier", "ﬁ no. 7", "FI NO. 7"),
        ("identifier", "a  b", "A  B"),
        ("name", "  Guangdong\u3000\u3000Electric  LTD ", "guangdong electric ltd"),
        ("name", "STRASSE", "strasse"),
        ("name", "Straße", "strasse"),
        ("name", "Ｌｔｄ．", "ltd."),
        ("name", "e\u0301", "é"),
        ("name", "\u1680a\u1680b", "a b"),
        ("name", "南方电网", "南方电网"),
        ("enum", "  Solar \u00a0 PV", "Solar PV"),
        ("enum", "ＰＶ", "PV"),
    ],
)
def test_examples(kind: TextKind, text: str, normal: str) -> None:
    """Each kind folds what its definition says and nothing more."""
    assert normalise(kind, text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u3000\u00a0",
        "a\u200bb",  # zero-width space: would hide a name from a list
        "a\ufe00",  # variation selector: the same, though it is a mark
        "a\u3164",  # Hangul filler: the same, though it is a letter
        "a\u2800",  # blank Braille pattern
        "a\U0001d159",  # musical null notehead
        "a\U00016fe4",  # Khitan filler
        "a\u202eb",  # right-to-left override
        "a\tb",
        "a\nb",
        "a\r",
        "a\x1b[2J",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "a\ud800",
        "a\ue000",
        "a\U000f0000",
        "a\u0378",  # never assigned
        "a\U0001f6dc",  # assigned in 15.0
        "\ua7dc",  # assigned in 16.0
        "a\U0010ffff",
        "\x00",
        "\ufeffname",
        "x" * (MAX_TEXT + 1),
    ],
)
def test_refused_texts(text: str) -> None:
    """What prints nothing, moves the cursor, breaks lines or is not in Unicode 14.0 is refused."""
    for kind in text_corpus.KINDS:
        with pytest.raises(SchemaError):
            normalise(kind, text)


def test_longest_text_passes_and_longer_result_does_not() -> None:
    """1,024 code points are allowed, also of the result: U+FDFA becomes eighteen."""
    assert normalise("name", "x" * MAX_TEXT) == "x" * MAX_TEXT
    with pytest.raises(SchemaError, match="at most 1024"):
        normalise("name", "\ufdfa" * (MAX_TEXT // 2))


def test_text_of_ten_megabytes_is_refused_before_any_work() -> None:
    """The bound comes first: the error counts the characters and does not repeat them."""
    with pytest.raises(SchemaError) as caught:
        normalise("name", "\u0300" * 10_000_000)
    assert len(str(caught.value)) < 100


def test_capitals_assigned_later_are_not_used() -> None:
    """A small letter whose capital came after 14.0 stays small on a Python that knows it."""

    class Later(str):
        __slots__ = ()

        def upper(self) -> Later:
            return Later(str.upper(self).replace("\u019b", "\ua7dc"))

        def __iter__(self):  # type: ignore[no-untyped-def]
            return (Later(letter) for letter in str.__iter__(self))

    assert normaliser._upper(Later("a\u019bß")) == "A\u019bSS"


def test_unstable_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text whose normalised form would normalise to something else has none.

    No such text is known, so the second pass is shown on a fold that is unstable on purpose.
    """
    monkeypatch.setattr(normaliser, "_apply", lambda kind, text: text + "x")
    with pytest.raises(SchemaError, match="stable"):
        normaliser.normalise("name", "a")


def test_unknown_kind_is_refused() -> None:
    """A type that has no normaliser is refused by name."""
    with pytest.raises(SchemaError, match="integer"):
        normalise("integer", "1")  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(text_corpus.KINDS), st.text(min_size=1, max_size=12))
def test_normalisation_is_idempotent_and_displayable(kind: TextKind, text: str) -> None:
    """A normalised text normalises to itself and may be shown; all else is a SchemaError."""
    normal = text_corpus.result(kind, text)
    if normal is not None:
        assert normalise(kind, normal) == normal
        assert safe_for_display(normal) == normal
        assert normal.strip() == normal


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12), st.integers(0, 12), st.sampled_from("\u200b\u00ad\u2060\ufe0f\u034f"))
def test_an_invisible_character_anywhere_is_refused(text: str, place: int, hidden: str) -> None:
    """No text with an invisible character inside has a normalised form."""
    for kind in text_corpus.KINDS:
        assert text_corpus.result(kind, text[:place] + hidden + text[place:]) is None


def test_display_keeps_the_text_and_its_own_limit() -> None:
    """`safe_for_display` gives back what was written, up to the caller's limit."""
    assert safe_for_display("Owner’s  Name ①", limit=15) == "Owner’s  Name ①"
    with pytest.raises(SchemaError):
        safe_for_display("Owner’s  Name ①", limit=14)


def test_scalars_depend_on_kind_and_normalised_text() -> None:
    """Two spellings of a text have one scalar; another kind or another text has another."""
    assert text_scalar("name", "ACME  Ltd") == text_scalar("name", "acme ltd")
    scalars = [
        text_scalar("name", "7"),
        text_scalar("identifier", "7"),
        text_scalar("enum", "7"),
        text_scalar("name", "8"),
    ]
    assert len({int(value) for value in scalars}) == 4
    assert all(0 < int(value) < ORDER for value in scalars)


def test_scalar_of_a_text_is_pinned() -> None:
    """The scalar of a known name never changes: commitments made years ago depend on it."""
    assert hex(int(text_scalar("name", "南方电网 Ltd"))) == PINNED_SCALAR
