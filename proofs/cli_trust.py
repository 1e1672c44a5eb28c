"""`crossproof trust`: showing a trust file, and adding to it.

A key enters only after its fingerprint, told by another channel, was compared; the key's own is
not shown before. A file is replaced whole or not at all.

SPEC.md, "Trust file" and "Commands".
"""

from __future__ import annotations

from pathlib import Path

import click

from proofs.cli_files import (
    FILE,
    error_console,
    instant_text,
    load_trust,
    read,
    replace,
    schema_digest,
)

_SMALL = 4 << 20


@click.group()
def trust() -> None:
    """Whom you believe."""


@trust.command("show")
@click.argument("file", type=FILE)
def trust_show(file: Path) -> None:
    """Print whom a trust file pins, for what, and until when."""
    from proofs.render import print_trust

    print_trust(error_console(), load_trust(file))


@trust.command("add")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--custodian", "kind", flag_value="custodian", help="Pin a custodian's key.")
@click.option("--authority", "kind", flag_value="authority", help="Pin a set authority's key.")
@click.option("--key", help="The public key: base64, or a file that holds it.")
@click.option("--name-en", help="Legal name in English.")
@click.option("--name-zh", help="Legal name in Chinese.")
@click.option("--valid-from", help="An instant or a day.")
@click.option("--valid-until", help="An instant or a day.")
@click.option("--schema", "schemas", multiple=True, help="Custodian: a schema's digest or file.")
@click.option("--asset", "assets", multiple=True, help="Custodian: an asset id, or cn-pv-*.")
@click.option("--fingerprint", help="As its owner told you by another channel; else asked for.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="NAME[=FINGERPRINT]",
    help="Give a set name to an authority: the one being added, or one that is pinned.",
)
@click.option(
    "--least-version",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="The oldest version of the set that counts.",
)
def trust_add(
    file: Path,
    kind: str | None,
    key: str | None,
    name_en: str | None,
    name_zh: str | None,
    valid_from: str | None,
    valid_until: str | None,
    schemas: tuple[str, ...],
    assets: tuple[str, ...],
    fingerprint: str | None,
    sets: tuple[str, ...],
    least_version: int,
) -> None:
    """Pin a key, or give a set to an authority.

    The key's fingerprint must have come to you by another channel than the key.
    """
    from proofs.trust import add_entry

    if kind is None and not sets:
        raise click.UsageError("say --custodian, --authority or --set")
    if kind != "custodian" and (schemas or assets):
        raise click.UsageError("--schema and --asset are the scope of a --custodian")
    before = read(file, _SMALL) if file.exists() else b""
    after, keyid = before, None
    if kind is not None:
        given = {"--key": key, "--name-en": name_en, "--name-zh": name_zh}
        given |= {"--valid-from": valid_from, "--valid-until": valid_until}
        missing = [option for option, value in given.items() if not value]
        if missing:
            raise click.UsageError(f"--{kind} needs {', '.join(missing)}")
        raw, keyid = _pinned_key(str(key), fingerprint)
        values: dict[str, object] = {
            "name_zh": name_zh,
            "name_en": name_en,
            "key": raw,
            "valid_from": instant_text(str(valid_from)),
            "valid_until": instant_text(str(valid_until)),
        }
        if kind == "custodian":
            values |= {"schemas": [schema_digest(each) for each in schemas]}
            values |= {"assets": list(assets)}
            after = add_entry(after, "custodian", values)
        else:
            after = add_entry(after, "authority", values)
    for each in sets:
        name, _, authority = each.partition("=")
        if not authority and kind != "authority":
            raise click.UsageError(f"--set {name}=FINGERPRINT: say whose set it is")
        pinned: dict[str, object] = {
            "name": name,
            "authority": authority or keyid,
            "least_version": least_version,
        }
        after = add_entry(after, "set", pinned)
    replace(file, after)
    click.echo(f"{file}: added", err=True)


def _pinned_key(key: str, fingerprint: str | None) -> tuple[str, str]:
    """The key's base64 and its id, once the fingerprint is the one told by another channel."""
    from proofs.canonical import decode_base64
    from proofs.trust import check_fingerprint

    path = Path(key)
    text = read(path, 4096).decode("ascii", "replace").strip() if path.is_file() else key
    raw = decode_base64(text, limit=32, where="--key")
    if fingerprint is None:
        # The key's own fingerprint is not shown before: it would be copied, not compared.
        fingerprint = click.prompt(
            "Fingerprint of the key, as its owner told you by another channel", err=True
        )
    return text, check_fingerprint(raw, fingerprint)
