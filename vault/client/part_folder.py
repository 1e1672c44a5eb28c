"""The folder that a released part is written to: whole, or not at all.

Everything is written beside the final place, in a folder that only its owner can read; each file
goes to a temporary name as it decrypts and gets its own when its whole stream has verified; the
folder gets its name last. It refuses a place where something is already, and writes nowhere else.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from vault.errors import ConflictError

ATTRIBUTES: Final = "attributes.json"
ATTACHMENTS: Final = "attachments"

Progress = Callable[[int], None]
"""Called with the bytes that were written since the last call."""


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """Where a part was written. `files` are the attachments, in order."""

    folder: Path
    attributes: Path
    files: tuple[Path, ...]


class PartFolder:
    """A folder under way. Use it in a `with`; without `finish` nothing is left behind."""

    def __init__(self, target: Path) -> None:
        """Start to write what will be `target`; ConflictError when that exists."""
        # Judged by name: a link that points nowhere is something too.
        if os.path.lexists(target):
            raise ConflictError(f"{target} exists already; name a folder that does not")
        self._target = target
        self._staging = target.with_name(f".{target.name}.partial-{secrets.token_hex(4)}")
        self._files: list[str] = []

    def __enter__(self) -> PartFolder:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._staging.mkdir(mode=0o700)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)

    def write_attributes(self, content: dict[str, Any]) -> None:
        """Write attributes.json, for people and programs alike: UTF-8, not escaped."""
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        with _created(self._staging / ATTRIBUTES) as descriptor:
            _write_all(descriptor, [text.encode()], _ignore)

    def write_file(self, name: str, pieces: Iterable[bytes], progress: Progress) -> None:
        """Write an attachment as it comes; it gets its name when `pieces` ended well."""
        folder = self._staging / ATTACHMENTS
        folder.mkdir(mode=0o700, exist_ok=True)
        temporary = folder / f".{secrets.token_hex(8)}.part"
        with _created(temporary) as descriptor:
            _write_all(descriptor, pieces, progress)
        temporary.rename(folder / name)
        self._files.append(name)

    def finish(self) -> WrittenPart:
        """Give the folder its name; ConflictError when something took it in the meantime."""
        for folder in (self._staging / ATTACHMENTS, self._staging):
            _sync_folder(folder)
        try:
            # Renaming onto a folder works only where that is empty, onto a file never.
            self._staging.rename(self._target)
        except OSError:
            raise ConflictError(f"{self._target} exists already; nothing was written") from None
        _sync_folder(self._target.parent)
        return WrittenPart(
            self._target,
            self._target / ATTRIBUTES,
            tuple(self._target / ATTACHMENTS / name for name in self._files),
        )


@contextmanager
def _created(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, pieces: Iterable[bytes], progress: Progress) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
        progress(len(piece))


def _sync_folder(folder: Path) -> None:
    if not folder.exists():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ignore(_: int) -> None:
    """Small files show no progress."""
