"""Which version of each of its sets an authority handed in last, on its own disk.

The vault keeps the sets, and could show an older version as the newest: the authority would change
that one, and sign under a number that is taken a list without the names that were added since. It
is noted when the vault has taken a version, so that nothing stands in the way of a second try.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from proofs import canonical
from proofs.canonical import Fields
from proofs.ids import check_name
from proofs.named_set import MAX_VERSION, SetHeader
from vault.errors import ConflictError
from vault.files import read_public, write_private
from vault.identity import Identity

FOLDER: Final = "sets"
_LIMIT: Final = 4096


def last_version(identity: Identity, name: str) -> int:
    """The version that was noted last of a set, 0 for none; EncodingError for a changed note."""
    path = _path(identity, name)
    if not path.exists():
        return 0
    data = read_public(path, limit=_LIMIT)
    fields = Fields(canonical.parse(data, limit=_LIMIT, where=str(path)), str(path))
    fields.hex("digest", 32)
    version = fields.integer("version", 1, MAX_VERSION)
    fields.end()
    return version


def require_shown(identity: Identity, name: str, newest: int) -> None:
    """ConflictError when the vault shows an older version than this machine handed in."""
    last = last_version(identity, name)
    if newest < last:
        raise ConflictError(
            f"the vault shows version {newest} of @{name}, and took version {last} from here: a "
            f"change of the older one would undo what came between; hand in the whole list with "
            f"`set add`",
            reason="VERSION_HIDDEN",
        )


def note_version(identity: Identity, header: SetHeader) -> None:
    """Note a version that the vault has taken; on the disk when this returns."""
    path = _path(identity, header.name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if header.version > last_version(identity, header.name):
        write_private(path, canonical.dump({"digest": header.digest, "version": header.version}))


def _path(identity: Identity, name: str) -> Path:
    return identity.folder / FOLDER / f"{check_name(name, where='name')}.json"
