"""`crossproof`: what a verifier makes, keeps and checks, offline.

It reads the files it is named, writes only the file it is told to, and talks to nobody. Verdicts
and errors go to standard error, machine output to standard output. Exit codes: 0 done or
verified, 1 refused or not verified, 2 wrong usage. Everything but `click` is imported when a
command needs it, so that `--help` is quick.

SPEC.md, "Commands".
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proofs.errors import CrossproofError, PolicyError, SetError

if TYPE_CHECKING:
    from rich.console import Console

    from proofs.named_set import NamedSet
    from proofs.policy import Expectation
    from proofs.schema import Schema
    from proofs.trust import Trust

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SMALL = 4 << 20
_SPAN = re.compile(r"([1-9][0-9]{0,5})([hd])")


def main() -> None:
    """Run a command; every expected failure ends in one line and an exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show(sys.stderr)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("crossproof: stopped", err=True)
        code = 1
    except CrossproofError as error:
        click.echo(f"crossproof: {error}", err=True)
        code = 1
    except OSError as error:
        click.echo(f"crossproof: {error.filename or 'output'}: {error.strerror}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crossvault")
def cli() -> None:
    """Ask for proofs about documents that you will never see, and check the answers offline."""


# --- request ------------------------------------------------------------------------------------


@cli.group()
def request() -> None:
    """What you want proven."""


@request.command("new")
@click.option("--schema", "schema_file", type=_FILE, required=True, help="The schema's file.")
@click.option("--asset", required=True, help="The asset's id.")
@click.option("--fact", "facts", multiple=True, required=True, help="A fact; may be repeated.")
@click.option("--audience", required=True, help="Who the proof is for: you.")
@click.option("--purpose", required=True, help="What you need it for.")
@click.option("--expires", default="30d", show_default=True, help="30d, 12h, or an instant.")
@click.option("--set", "set_files", type=_FILE, multiple=True, help="A set that a fact names.")
@click.option("--trust", "trust_file", type=_FILE, help="Check the sets' signatures by this file.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def request_new(
    schema_file: Path,
    asset: str,
    facts: tuple[str, ...],
    audience: str,
    purpose: str,
    expires: str,
    set_files: tuple[Path, ...],
    trust_file: Path | None,
    output: Path,
) -> None:
    """Write a request with a fresh nonce, and print its digest.

    Keep the file: it is what you check the answer against.
    """
    from proofs.classes import check_facts
    from proofs.facts import FactList
    from proofs.ids import digest_of, new_nonce
    from proofs.request import DEFAULT_ALIAS, Request, RequestedDocument
    from proofs.verify import check_named_set

    now = _now()
    schema = _load_schema(schema_file)
    parsed = FactList.parse(facts, schema)
    sets = {each.name: each for each in _load_sets(set_files)}
    for name in parsed.set_names:
        if name not in sets:
            raise SetError(f"@{name}: give its file with --set")
    if trust_file is not None:
        trust = _load_trust(trust_file)
        for name in parsed.set_names:
            check_named_set(sets[name], trust, now)
    check_facts(parsed, schema, sets)
    made = Request.build(
        documents=[RequestedDocument(DEFAULT_ALIAS, asset, digest_of(schema.encode()))],
        facts=parsed.texts,
        sets=[sets[name].reference for name in parsed.set_names],
        audience=audience,
        purpose=purpose,
        nonce=new_nonce(),
        created=now,
        expires=_until(expires, now),
    )
    _write_new(output, made.data)
    for fact in made.facts:
        click.echo(f"asks: {fact}", err=True)
    click.echo(f"wrote {output}; keep it: the answer is checked against it", err=True)
    click.echo(made.digest)


# --- trust --------------------------------------------------------------------------------------


@cli.group()
def trust() -> None:
    """Whom you believe."""


@trust.command("show")
@click.argument("file", type=_FILE)
def trust_show(file: Path) -> None:
    """Print whom a trust file pins, for what, and until when."""
    from proofs.render import print_trust

    print_trust(_console(), _load_trust(file))


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
@click.option("--least-version", type=click.IntRange(1), default=1, show_default=True)
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
    """Pin a key whose fingerprint came to you by another channel, or give a set to an authority."""
    from proofs.trust import add_entry

    if kind is None and not sets:
        raise click.UsageError("say --custodian, --authority or --set")
    if kind != "custodian" and (schemas or assets):
        raise click.UsageError("--schema and --asset are the scope of a --custodian")
    before = _read(file, _SMALL) if file.exists() else b""
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
            "valid_from": _instant_text(str(valid_from)),
            "valid_until": _instant_text(str(valid_until)),
        }
        if kind == "custodian":
            values |= {"schemas": [_schema_digest(each) for each in schemas]}
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
    _replace(file, after)
    click.echo(f"{file}: added", err=True)


def _pinned_key(key: str, fingerprint: str | None) -> tuple[str, str]:
    """The key's base64 and its id, once the fingerprint is the one told by another channel."""
    from proofs.canonical import decode_base64
    from proofs.trust import check_fingerprint

    path = Path(key)
    text = _read(path, 4096).decode("ascii", "replace").strip() if path.is_file() else key
    raw = decode_base64(text, limit=32, where="--key")
    if fingerprint is None:
        # The key's own fingerprint is not shown before: it would be copied, not compared.
        fingerprint = click.prompt(
            "Fingerprint of the key, as its owner told you by another channel", err=True
        )
    return text, check_fingerprint(raw, fingerprint)


# --- verify, inspect ----------------------------------------------------------------------------


@cli.command()
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--trust", "trust_file", type=_FILE, required=True, help="Whom you believe.")
@click.option("--request", "request_file", type=_FILE, help="The request that you made.")
@click.option("--audience", help="Without a request: who the proof must be for.")
@click.option("--nonce", help="With --audience: the nonce that you gave.")
@click.option("--asset", help="The asset that it must be about.")
@click.option("--set", "set_files", type=_FILE, multiple=True, help="A named set's file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, on standard output.")
def verify(
    files: tuple[Path, ...],
    trust_file: Path,
    request_file: Path | None,
    audience: str | None,
    nonce: str | None,
    asset: str | None,
    set_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check proof bundles against what you expect and whom you believe."""
    from proofs.bundle import LIMIT
    from proofs.render import print_refused, print_verified, refused_json, verified_json
    from proofs.verify import verify_many

    expected = _expectation(request_file, audience, nonce, asset)
    pinned = _load_trust(trust_file)
    sets = _load_sets(set_files)
    console, failed = _console(), False
    outcomes = verify_many(
        (_read(file, LIMIT) for file in files),
        trust=pinned,
        expectation=expected,
        sets=sets,
        now=_now(),
    )
    for file, found in zip(files, outcomes, strict=True):
        if not as_json and len(files) > 1:
            click.echo(f"{file}:", err=True)
        if isinstance(found, CrossproofError):
            failed = True
            if as_json:
                click.echo(_json_line(file, refused_json(found)))
            else:
                print_refused(console, found)
        elif as_json:
            click.echo(_json_line(file, verified_json(found)))
        else:
            print_verified(console, found)
    if failed:
        sys.exit(1)


def _json_line(file: Path, outcome: dict[str, object]) -> str:
    # ASCII, so that no locale and no file name can break a line that a machine reads.
    return json.dumps({"file": str(file)} | outcome)


@cli.command()
@click.argument("file", type=_FILE)
def inspect(file: Path) -> None:
    """Print what a bundle claims. Nothing of it is checked."""
    from proofs.bundle import LIMIT, Bundle
    from proofs.render import print_claims

    print_claims(_console(), Bundle.parse(_read(file, LIMIT)))


def _expectation(
    request_file: Path | None, audience: str | None, nonce: str | None, asset: str | None
) -> Expectation:
    from proofs.policy import Expectation
    from proofs.request import LIMIT

    if (request_file is None) == (audience is None):
        raise click.UsageError(
            "say what you expect: --request FILE, or --audience with the --nonce that you gave"
        )
    if request_file is not None:
        if nonce is not None:
            raise click.UsageError("--nonce goes with --audience; a request has its own")
        return Expectation.for_request(_read(request_file, LIMIT), asset=asset)
    try:
        return Expectation.for_audience(str(audience), nonce=nonce, asset=asset)
    except CrossproofError as error:
        raise click.UsageError(str(error)) from None


# --- generators ---------------------------------------------------------------------------------


@cli.command()
@click.option("--norm", type=click.IntRange(16, 4096), default=64, show_default=True)
@click.option("--powers", type=click.IntRange(2, 16), default=16, show_default=True)
def generators(norm: int, powers: int) -> None:
    """Recompute the generators from their labels, and print them and their digests.

    --norm is the length of the range argument's norm vector, --powers the base-2 logarithm of
    the largest set.
    """
    from proofs import generators as named
    from proofs import labels

    click.echo(f"tag {labels.GENERATOR_DST.decode()}")
    shown = [*named.range_generators(norm), *named.membership_generators(powers)]
    for each in dict.fromkeys(shown):
        click.echo(f"{each.name:<6} {each.encode().hex()}")
    length = 16
    while length <= norm:
        digest = named.generators_digest(named.range_generators(length))
        click.echo(f"digest range {length} {digest.hex()}")
        length *= 2
    for count in range(2, powers + 1):
        digest = named.generators_digest(named.membership_generators(count))
        click.echo(f"digest membership {count} {digest.hex()}")


# --- files, clock, texts ------------------------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def _read(path: Path, limit: int) -> bytes:
    """At most one byte more than the limit: enough for the reader to refuse, not to fill memory."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def _write_new(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise PolicyError(f"{path} exists; choose another name, for it may be needed") from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o644)
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all: a trust file cut in the middle might pin less."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _load_schema(path: Path) -> Schema:
    from proofs.errors import EncodingError
    from proofs.schema import MAX_SCHEMA, Schema

    data = _read(path, MAX_SCHEMA)
    try:
        return Schema.parse(data)
    except EncodingError:
        return Schema.parse(Schema.from_author(data))


def _schema_digest(text: str) -> str:
    from proofs.ids import digest_of

    path = Path(text)
    return digest_of(_load_schema(path).encode()) if path.is_file() else text


def _load_trust(path: Path) -> Trust:
    from proofs.trust import LIMIT, Trust

    return Trust.parse(_read(path, LIMIT))


def _load_sets(paths: Sequence[Path]) -> list[NamedSet]:
    from proofs.named_set import NamedSet

    return [NamedSet.load(path) for path in paths]


def _until(text: str, now: datetime) -> datetime:
    """`30d`, `12h`, a day or an instant, as an instant."""
    from proofs.canonical import parse_instant

    span = _SPAN.fullmatch(text)
    if span is not None:
        hours = int(span[1]) * (24 if span[2] == "d" else 1)
        return now + timedelta(hours=hours)
    return parse_instant(_instant_text(text), "--expires")


def _instant_text(text: str) -> str:
    return f"{text}T00:00:00Z" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else text
