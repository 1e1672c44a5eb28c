"""What the benchmarks do through the service itself: commands, imports, a signed set, trust."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.both_sides import BothSides
from proofs.canonical import encode_base64, format_instant
from proofs.named_set import NamedSet
from proofs.trust import Trust, entry
from vault import cli
from vault.site_file import PrincipalRecord

SET = "ofac-sdn"
SOURCE = "US Treasury, OFAC SDN list, entities"


def crossvault(*arguments: str, log: Path | None = None, refused: Path | None = None) -> None:
    """Run one command in this process; SystemExit when it fails.

    An import that left refused rows in the file `refused` has not failed.

    What it prints goes to standard error, or, all of it, to the end of the file `log`.
    """
    # A command's standard output is for whoever asked; here that is the figures alone.
    with _redirected(2, log), _redirected(1, None):
        code = cli.run(list(arguments))
    if code and not (code == 1 and refused is not None and refused.exists()):
        said = "" if log is None else f": {log.read_text(errors='replace')[-1000:].strip()}"
        raise SystemExit(f"crossvault {arguments[0]} ended with {code}{said}")


def import_table(
    identity: Path, table: Path, schema: Path, name: str, *options: str, refused: Path
) -> None:
    """Pin and register the schema, which is called `name`, and import a whole table."""
    who = ("--as", str(identity))
    crossvault("schema", "add", str(schema), *who)
    where = ("--schema", name, "--refused", str(refused))
    refused.unlink(missing_ok=True)
    crossvault("import", str(table), *where, *options, *who, refused=refused)


def sign_set(sides: BothSides, names: Path, column: str) -> tuple[NamedSet, float]:
    """The set as its authority `lists` signs it and a verifier reads it; seconds of signing."""
    exported = sides.folder / f"{SET}.set"
    start = time.perf_counter()
    crossvault(
        *("set", "add", SET, str(names), "--type", "name", "--column", column),
        *("--source", SOURCE, "-o", str(exported)),
        *("--as", str(sides.identity("hk", "authority", "lists"))),
    )
    return NamedSet.load(exported), time.perf_counter() - start


def trust(sides: BothSides, *, schemas: Sequence[str], assets: Sequence[str]) -> Trust:
    """What a verifier pins: the custodian for these digests and assets, the set's authority."""
    pinned = sides.cn.sites()
    (custodian,) = pinned.by_role("cn", "custodian")
    (authority,) = pinned.by_role("hk", "authority")
    scope = {"schemas": list(schemas), "assets": list(assets)}
    texts = [
        entry("custodian", {**_signer(custodian), **scope}),
        entry("authority", _signer(authority)),
        entry("set", {"name": SET, "authority": authority.key_id}),
    ]
    return Trust.parse("\n".join(texts).encode())


def _signer(record: PrincipalRecord) -> dict[str, object]:
    return {
        "name_zh": record.principal.name,
        "name_en": record.principal.name,
        "key": encode_base64(record.signing_key),
        "valid_from": format_instant(record.valid_from),
        "valid_until": format_instant(record.valid_until),
    }


@contextmanager
def _redirected(descriptor: int, log: Path | None) -> Iterator[None]:
    """Send a standard stream to the end of a file, or to standard error, for a while."""
    keep = os.dup(descriptor)
    if log is None:
        os.dup2(2, descriptor)  # of standard error itself: as it was
    else:
        with log.open("ab") as file:
            os.dup2(file.fileno(), descriptor)
    try:
        yield
    finally:
        (sys.stdout if descriptor == 1 else sys.stderr).flush()
        os.dup2(keep, descriptor)
        os.close(keep)
