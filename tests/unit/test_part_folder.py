"""The folder of a released part: whole or absent, never over anything, never elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.client.part_folder import PartFolder
from vault.client.safe_names import MAX_BYTES, safe_file_name
from vault.errors import ConflictError, IntegrityError


def silent(_: int) -> None:
    """Nobody watches."""


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_whole_part_is_written(tmp_path: Path) -> None:
    """Attributes and files stand in the folder, readable by their owner alone."""
    with PartFolder(tmp_path / "new" / "out") as folder:
        folder.write_file("1-a.txt", iter([b"one ", b"two"]), silent)
        folder.write_attributes({"值": "值"})
        written = folder.finish()
    assert everything(tmp_path) == [
        "new",
        "new/out",
        "new/out/attachments",
        "new/out/attachments/1-a.txt",
        "new/out/attributes.json",
    ]
    assert written.files[0].read_bytes() == b"one two"
    assert written.attributes.read_text() == '{\n  "值": "值"\n}\n'
    assert [oct(path.stat().st_mode & 0o777) for path in (written.folder, written.files[0])] == [
        "0o700",
        "0o600",
    ]


def test_a_stream_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    """What came before an error is authentic and not whole: none of it stays."""

    def breaks() -> Iterator[bytes]:
        yield b"half"
        raise IntegrityError("the second half is wrong")

    def write() -> None:
        with PartFolder(tmp_path / "out") as folder:
            folder.write_attributes({})
            folder.write_file("1-a", breaks(), silent)

    with pytest.raises(IntegrityError, match="second half"):
        write()
    assert everything(tmp_path) == []


def test_a_file_has_no_name_before_it_is_whole(tmp_path: Path) -> None:
    """While a file is written only a temporary name is there."""
    seen: list[list[str]] = []

    def pieces() -> Iterator[bytes]:
        yield b"half"
        seen.append([path.name for path in tmp_path.rglob("*") if path.is_file()])

    with PartFolder(tmp_path / "out") as folder:
        folder.write_file("1-a", pieces(), silent)
    assert [[name.endswith(".part") for name in names] for names in seen] == [[True]]


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    """A place where something is, even a link to nowhere, is refused before anything is fetched."""
    target = tmp_path / "out"
    if kind == "file":
        target.write_text("mine")
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConflictError, match="exists already"):
        PartFolder(target)


def test_a_place_that_was_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Something that appears while a part is fetched is not overwritten either."""
    target = tmp_path / "out"

    def write() -> None:
        with PartFolder(target) as folder:
            folder.write_attributes({})
            target.mkdir()
            (target / "mine").write_text("mine")
            folder.finish()

    with pytest.raises(ConflictError, match="nothing was written"):
        write()
    assert everything(tmp_path) == ["out", "out/mine"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "1-report.pdf"),
        ("检测报告 2026.pdf", "1-检测报告 2026.pdf"),
        ("../../etc/passwd", "1-_.._etc_passwd"),
        (".bashrc", "1-bashrc"),
        ("-rf", "1--rf"),
        ("a\\b:c*d?e|f<g>h", "1-a_b_c_d_e_f_g_h"),
        ("$(rm -rf ~)`x`", "1-_(rm -rf _)_x_"),
        ("...", "1-file"),
        ("con.", "1-con"),
    ],
)
def test_names_of_strangers_are_made_safe(name: str, safe: str) -> None:
    """Separators, leading dots and what a shell reads become harmless; letters stay."""
    assert safe_file_name(1, name) == safe


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400), st.integers(1, 999))
def test_a_safe_name_is_one_component(name: str, number: int) -> None:
    """Any text gives one bounded path component that starts with its number."""
    found = safe_file_name(number, name)
    assert found.startswith(f"{number}-")
    assert len(found.encode()) <= MAX_BYTES
    assert Path("/x", found).resolve().parent == Path("/x")
    assert not set(found) & set("/\\\x00\n\r\t\x1b")


def test_a_long_name_keeps_its_ending() -> None:
    """A name is cut in its middle, so that its type can still be told."""
    found = safe_file_name(12, "报" * 200 + ".pdf")
    assert (found[:3], found[-4:], len(found.encode()) <= MAX_BYTES) == ("12-", ".pdf", True)
