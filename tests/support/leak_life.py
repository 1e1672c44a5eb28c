"""One document's whole life on both sides' real processes, with canaries planted wherever it can
hold a secret, and everything that came of it kept on the disk to be searched.

    folder/cn, folder/hk      the two sites as their processes left them (killed: logs of databases
                              are still there)
    folder/logs               what the processes logged
    folder/processes          arguments and environment of every process
    folder/traffic            what passed, in plain (see `recording_proxy`)
    folder/outputs/cn, /hk    what each command of a side's principal printed
    folder/outputs/opened     what the command printed that opened the SPV's part
    folder/refusals           what custodians' client and vault said to values they refused
    folder/desks/NAME         the files of the custodian, the SPV and the verifier

Whoever runs into a canary outside of the custodian's desk, and outside of what a release opened,
has found a leak.
"""

from __future__ import annotations

import contextlib
import io
import json
import mimetypes
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from proofs import cli as crossproof
from proofs.canonical import encode_base64, format_instant
from proofs.envelope import key_id
from proofs.request import Request, RequestedDocument
from support.canaries import Canary, digits, ideographs, letters
from support.careless import call_with_junk, put_carelessly
from support.cluster import Cluster
from support.leak_lists import prove_over_lists
from support.recording_proxy import RecordingProxies, redirected
from support.sites import TwoSites, make_two_sites
from vault import cli
from vault.client.channel import connect
from vault.pinning import join
from vault.pki import now_utc
from vault.v1 import document_pb2, document_pb2_grpc

ASSET_ID = "cn-pv-000777"
SCHEMA = """{
  "name": "leaky-plant",
  "title": {"en": "Plant", "zh": "电站"},
  "attributes": [
    {"name": "code", "label": {"en": "Code", "zh": "编码"}, "class": "public",
     "type": "identifier"},
    {"name": "capacity", "label": {"en": "Capacity", "zh": "装机容量"}, "class": "asset",
     "type": "decimal", "scale": 2, "unit": "MW", "min": "0", "max": "100000"},
    {"name": "meter", "label": {"en": "Meter reading", "zh": "电表读数"}, "class": "asset",
     "type": "integer", "unit": "kWh", "min": "0", "max": "1000000000000000000"},
    {"name": "operator", "label": {"en": "Operator", "zh": "运营商"}, "class": "asset",
     "type": "name"},
    {"name": "serial", "label": {"en": "Serial number", "zh": "序列号"}, "class": "asset",
     "type": "identifier"},
    {"name": "owner", "label": {"en": "Owner", "zh": "业主"}, "class": "personal",
     "type": "name"},
    {"name": "agent", "label": {"en": "Agent", "zh": "代理人"}, "class": "personal",
     "type": "name"},
    {"name": "passport", "label": {"en": "Passport", "zh": "护照"}, "class": "personal",
     "type": "identifier"},
    {"name": "account", "label": {"en": "Account", "zh": "账户"}, "class": "personal",
     "type": "integer", "unit": "CNY", "min": "0", "max": "1000000000000000000"},
    {"name": "rent", "label": {"en": "Rent", "zh": "租金"}, "class": "personal",
     "type": "decimal", "scale": 4, "unit": "CNY", "min": "0", "max": "100000000000000"}
  ]
}"""
TRUE_FACTS = (
    "capacity in 20..50 MW",
    "meter in 0..1000000000000000000 kWh",
    "owner not in @watch-list",
    "serial not in @watch-serials",
)
FALSE_FACTS = ("operator in @members", "account in @accounts")

Who = tuple[str, str, str]
BANK: Who = ("cn", "custodian", "bank")
SPV: Who = ("hk", "spv", "issuer")
OTHER_SPV: Who = ("hk", "spv", "other")
LISTS: Who = ("hk", "authority", "lists")
WANG: Who = ("cn", "officer", "wang")
LEE: Who = ("hk", "officer", "lee")
AUDITORS: tuple[Who, Who] = (("cn", "auditor", "audit"), ("hk", "auditor", "audit"))


@dataclass(frozen=True)
class Life:
    """What is left of it.

    `personal` and `asset` were sealed. `basis` and `denial` a custodian said when it decided: the
    one stays out of bundles, the other onshore.
    """

    folder: Path
    personal: list[Canary]
    asset: list[Canary]
    basis: list[Canary]
    denial: list[Canary]

    def save(self) -> None:
        """Write the canaries beside the rest; their file comes last, and says that it is whole."""
        kinds = {name: [asdict(c) for c in getattr(self, name)] for name in _KINDS}
        (self.folder / "canaries.json").write_text(json.dumps(kinds))

    @classmethod
    def load(cls, folder: Path) -> Life:
        """Read what `save` wrote."""
        kinds = json.loads((folder / "canaries.json").read_text())
        return cls(folder, **{name: [Canary(**each) for each in kinds[name]] for name in _KINDS})


_KINDS = ("personal", "asset", "basis", "denial")


def run_life(folder: Path) -> Life:
    """Live it. Every step must end as expected; AssertionError shows the command that did not."""
    folder.mkdir()
    stage = _Stage(folder, make_two_sites(folder), Life(folder, [], [], [], []))
    with RecordingProxies(folder / "traffic") as proxies, Cluster(stage.sites) as cluster:
        _redirect(stage.sites, proxies)
        cluster.start()
        _note_processes(cluster, folder / "processes")
        _live(stage)
        # The block ends with SIGKILL, which leaves the databases' logs where they are.
    assert proxies.errors == []
    stage.life.save()
    return stage.life


def _redirect(sites: TwoSites, proxies: RecordingProxies) -> None:
    """Put a proxy before the vault, and before every holder of Hong Kong."""
    both = sites.vault.sites()
    hk_people = [sites.identity(*who) for who in (SPV, OTHER_SPV, LISTS, LEE, AUDITORS[1])]
    custodians = [sites.identity("cn", "custodian", name) for name in ("bank", "trust")]
    callers = [*hk_people, *custodians, sites.identity(*AUDITORS[0]), *sites.holders("hk")]
    vault = proxies.before(sites.vault, callers, both)
    file = redirected(sites.cn, {sites.vault.uri: vault})
    for caller in callers:
        join(caller.folder / "sites", file, sites.cn.current().fingerprint)
    callers = [sites.vault, *hk_people]
    addresses = {each.uri: proxies.before(each, callers, both) for each in sites.holders("hk")}
    file = redirected(sites.hk, addresses)
    for caller in callers:
        join(caller.folder / "sites", file, sites.hk.current().fingerprint)


def _note_processes(cluster: Cluster, folder: Path) -> None:
    folder.mkdir()
    for name in cluster.names:
        for what in ("cmdline", "environ"):
            data = Path(f"/proc/{cluster.pid(name)}/{what}").read_bytes()
            (folder / f"{name.replace('/', '-')}.{what}").write_bytes(data)


class _Stage:
    """Runs commands as somebody, and keeps what they print."""

    def __init__(self, folder: Path, sites: TwoSites, life: Life) -> None:
        self.folder = folder
        self.sites = sites
        self.life = life
        self._number = 0
        for name in ("outputs/cn", "outputs/hk", "outputs/opened", "refusals"):
            (folder / name).mkdir(parents=True)

    def plant(self, kind: str, name: str, text: str, number: int | None = None) -> str:
        """A new canary; its text."""
        getattr(self.life, kind).append(Canary(name, text, number))
        return text

    def desk(self, name: str) -> Path:
        """Somebody's own files."""
        path = self.folder / "desks" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def crossvault(self, who: Who, *arguments: object, code: int = 0) -> str:
        """Run a command with the identity of `who`; what it printed on standard output."""
        words = [*map(str, arguments), "--as", str(self.sites.folder(*who))]
        return self._run(who[0], "-".join(who), words, lambda: cli.run(words), code)

    def crossproof(self, *arguments: object, code: int = 0) -> str:
        """Run an offline command, as a verifier in Hong Kong."""
        words = list(map(str, arguments))

        def run() -> int:
            try:
                crossproof.cli.main(words, standalone_mode=False)
            except SystemExit as error:
                return int(error.code or 0)
            return 0

        return self._run("hk", "verifier", words, run, code)

    def _run(
        self, side: str, who: str, words: Sequence[str], run: Callable[[], int], code: int
    ) -> str:
        out, err = io.StringIO(), io.StringIO()
        # Wide, or a table could break a canary in two and hide it.
        with (
            mock.patch.dict(os.environ, COLUMNS="2000"),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            ended = run()
        assert ended == code, (words, ended, out.getvalue(), err.getvalue())
        self._number += 1
        command = "-".join(word for word in words[:2] if word.isalpha())
        # What opens a part prints it, to whoever may have it.
        opens = side == "hk" and command == "release-fetch" and not code
        folder = self.folder / "outputs" / ("opened" if opens else side)
        file = folder / f"{self._number:03} {who} {command}"
        file.write_text(f"{out.getvalue()}\n{err.getvalue()}")
        return out.getvalue()

    def refused(self, what: str, text: str) -> None:
        """Keep what was said to a value that was refused."""
        assert text, what
        (self.folder / "refusals" / f"{what}.txt").write_text(text)


def _live(stage: _Stage) -> None:
    schema = stage.desk("custodian") / "leaky-plant.schema.json"
    schema.write_text(SCHEMA)
    shutil.copy(schema, stage.desk("verifier"))
    stage.crossvault(BANK, "schema", "add", schema)
    values = _values(stage)
    document = _put(stage, values)
    bundle, request = _prove(stage)
    prove_over_lists(
        *(stage.desk(name) for name in ("verifier", "custodian", "spv")),
        partial(stage.crossvault, BANK),
        partial(stage.crossvault, SPV),
        stage.crossproof,
    )
    _release_asset(stage, bundle)
    _release_personal(stage, document)
    _refusals(stage, values)
    _what_hong_kong_may_not(stage, document)
    for auditor in AUDITORS:
        stage.crossvault(auditor, "log", "list", "--json")
    for who in (BANK, SPV):
        stage.crossvault(who, "log", "list")
    _ask_as_holder(stage)
    database = stage.folder / "cn" / "vault" / "catalog.db"
    refuse = "BEFORE INSERT ON proof_decisions BEGIN SELECT RAISE(ABORT, 'disk'); END"
    with _broken(database, f"CREATE TRIGGER full {refuse}", "DROP TRIGGER full"):
        reason = ("--reason", stage.life.denial[0].text)
        stage.crossvault(BANK, "request", "deny", request, *reason, code=1)
    rename = "ALTER TABLE {} RENAME TO {}"
    with _broken(database, rename.format("versions", "gone"), rename.format("gone", "versions")):
        stage.crossvault(BANK, "put", stage.desk("custodian") / "document.json", code=1)
        stage.crossvault(BANK, "list", code=1)
        stage.crossvault(SPV, "release", "list", code=1)


@contextlib.contextmanager
def _broken(database: Path, breaking: str, mending: str) -> Iterator[None]:
    """Change the database under the running vault: calls end in errors that nobody expects, and
    what a database says of errors quotes what it was given."""
    connection = sqlite3.connect(database)
    connection.execute(breaking)
    connection.commit()
    yield
    connection.execute(mending)
    connection.commit()
    connection.close()


def _values(stage: _Stage) -> dict[str, str]:
    account, rent, meter = digits(), digits(), digits()
    return {
        "code": "GD-PV-000777",
        "capacity": "26.40",
        "meter": stage.plant("asset", "meter", meter, int(meter)),
        "operator": stage.plant("asset", "operator", ideographs()),
        "serial": stage.plant("asset", "serial", letters().upper()),
        "owner": stage.plant("personal", "owner", ideographs()),
        "agent": stage.plant("personal", "agent", letters()),
        "passport": stage.plant("personal", "passport", letters().upper()),
        "account": stage.plant("personal", "account", account, int(account)),
        "rent": stage.plant("personal", "rent", f"{rent[:-4]}.{rent[-4:]}", int(rent)),
    }


def _document(stage: _Stage, name: str, attributes: object) -> Path:
    now = now_utc().replace(microsecond=0)
    path = stage.desk("custodian") / f"{name}.json"
    content = {
        "schema": "leaky-plant",
        "asset": ASSET_ID,
        "as_of": now.date().isoformat(),
        "valid_until": format_instant(now + timedelta(days=300)),
        "attributes": attributes,
    }
    path.write_text(json.dumps(content, ensure_ascii=False))
    return path


def _put(stage: _Stage, values: dict[str, str]) -> str:
    """The document with two attachments in each part, one of them large; its id."""
    attach: list[str] = []
    for kind in ("personal", "asset"):
        ending = f".{kind}x"
        media_type = stage.plant(kind, f"{kind} media type", letters(30))
        mimetypes.add_type(f"application/x-{media_type}", ending)
        english = stage.plant(kind, f"{kind} file name", letters())
        chinese = stage.plant(kind, f"{kind} file name, Chinese", ideographs())
        words = stage.plant(kind, f"{kind} file", letters(40))
        text = stage.plant(kind, f"{kind} file, Chinese", ideographs(40))
        # Past 64 KiB a block is a file of its own, and past 1 MiB there are several.
        large = ("The roof 屋顶. " * 4000 + words).encode() * (20 if kind == "personal" else 1)
        small = text.encode() + text.encode("utf-16-le")
        for name, content in ((f"{english}{ending}", large), (f"{chinese}.txt", small)):
            path = stage.desk("custodian") / name
            path.write_bytes(content)
            attach += ["--attach", f"{kind}:{path}"]
    path = _document(stage, "document", values)
    document = stage.crossvault(BANK, "put", path, *attach).strip()
    stage.crossvault(BANK, "list")
    stage.crossvault(BANK, "list", "--json")
    stage.crossvault(BANK, "show", document)
    return document


def _prove(stage: _Stage) -> tuple[Path, str]:
    """Sets, a true request answered, a false one denied; the bundle, and one left undecided."""
    desk = stage.desk("verifier")
    now = now_utc().replace(microsecond=0)
    for name, kind, extra in (
        ("watch-list", "name", ()),
        ("watch-serials", "identifier", ()),
        ("members", "name", ()),
        ("accounts", "integer", ("--unit", "CNY")),
    ):
        members = desk / f"{name}.txt"
        members.write_text("".join(f"{10**9 + i}\n" for i in range(70)))
        stage.crossvault(
            LISTS,
            *("set", "add", name, members, "--type", kind, *extra, "--source", "Register"),
            *("-o", desk / f"{name}.set"),
        )
    trust, schema = desk / "trust.toml", desk / "leaky-plant.schema.json"
    for role, who, scope in (
        ("custodian", BANK, ("--schema", schema, "--asset", ASSET_ID)),
        ("authority", LISTS, [w for s in _SETS for w in ("--set", s)]),
    ):
        key = stage.sites.identity(*who).signing_key.public_key().public_bytes_raw()
        stage.crossproof(
            *("trust", "add", trust, f"--{role}", "--key", encode_base64(key)),
            *("--fingerprint", key_id(key), "--name-en", "A", "--name-zh", "甲", *scope),
            *("--valid-from", format_instant(now - timedelta(days=1))),
            *("--valid-until", format_instant(now + timedelta(days=300))),
        )
    sets = [word for name in _SETS for word in ("--set", desk / f"{name}.set")]
    requests = {}
    for name, facts in (("true", TRUE_FACTS), ("false", FALSE_FACTS), ("open", FALSE_FACTS)):
        asked = stage.crossproof(
            *("request", "new", "--schema", schema, "--asset", ASSET_ID, *sets, "--trust", trust),
            *(word for fact in facts for word in ("--fact", fact)),
            *("--audience", "Fund", "--purpose", "Diligence", "-o", desk / f"{name}.request.json"),
        )
        requests[name] = asked.strip()
        stage.crossvault(SPV, "request", "submit", desk / f"{name}.request.json")
        stage.crossvault(BANK, "request", "show", asked.strip())
    basis = stage.plant("basis", "legal basis", ideographs())
    approve = ("--basis", basis, "--yes")
    stage.crossvault(BANK, "request", "approve", requests["true"], *approve)
    stage.crossvault(BANK, "request", "approve", requests["false"], *approve, code=1)
    reason = stage.plant("denial", "reason of a denial", letters())
    stage.crossvault(BANK, "request", "deny", requests["false"], "--reason", reason)
    bundle = stage.desk("spv") / "plant.proof.json"
    stage.crossvault(SPV, "request", "fetch", requests["true"], "-o", bundle)
    stage.crossvault(SPV, "request", "fetch", requests["false"], "-o", desk / "none", code=1)
    for digest in requests.values():
        stage.crossvault(OTHER_SPV, "request", "show", digest, code=1)
    stage.crossvault(SPV, "request", "list", "--json")
    stage.crossvault(SPV, "request", "show", requests["false"])
    stage.crossvault(BANK, "request", "list", "--json")
    expected = ("--trust", trust, "--request", desk / "true.request.json", *sets)
    stage.crossproof("verify", bundle, *expected)
    stage.crossproof("verify", bundle, *expected, "--json")
    stage.crossproof("inspect", bundle)
    return bundle, requests["open"]


_SETS = ("watch-list", "watch-serials", "members", "accounts")


def _release_asset(stage: _Stage, bundle: Path) -> None:
    ask = ("release", "request", bundle, "--purpose", "Note", "--basis", "Contract", "--json")
    release = json.loads(stage.crossvault(SPV, *ask))["digest"]
    stage.crossvault(SPV, *ask, "--part", "personal", code=1)
    stage.crossvault(WANG, "release", "approve", release, "--yes")
    opened = stage.desk("spv") / "opened"
    stage.crossvault(SPV, "release", "fetch", release, "-o", opened, code=1)
    stage.crossvault(LEE, "release", "list", "--json")
    stage.crossvault(LEE, "release", "show", release)
    stage.crossvault(LEE, "release", "approve", release, "--yes")
    stage.crossvault(OTHER_SPV, "release", "fetch", release, "-o", opened, code=1)
    stage.crossvault(SPV, "release", "fetch", release, "-o", opened)
    stage.crossvault(SPV, "release", "list")


def _release_personal(stage: _Stage, document: str) -> None:
    asked = stage.crossvault(
        BANK,
        *("release", "request", document, "--part", "personal", "--purpose", "Court"),
        *("--basis", "PIPL Art. 13", "--json"),
    )
    release = json.loads(asked)["digest"]
    stage.crossvault(LEE, "release", "approve", release, "--yes", code=1)
    stage.crossvault(WANG, "release", "approve", release, "--yes")
    opened = stage.desk("custodian") / "opened"
    stage.crossvault(BANK, "release", "fetch", release, "-o", opened)


def _refusals(stage: _Stage, values: dict[str, str]) -> None:
    """Values that contain a canary and are refused: by the client, and by the vault itself."""
    wrong = stage.plant("personal", "refused text", letters())
    chinese = stage.plant("personal", "refused text, Chinese", ideographs())
    high = digits(19)[1:]
    high = stage.plant("personal", "refused number", f"2{high}", int(f"2{high}"))
    for name, change in (
        ("a text for a number", {"account": wrong}),
        ("a number out of bounds", {"account": high}),
        ("a decimal that is not exact", {"rent": f"{high[:12]}.{high[12:]}"}),
        ("a control character", {"passport": f"{wrong}\x07"}),
        ("a text too long", {"owner": chinese * 70}),
        ("a list for a text", {"owner": [chinese]}),
        ("an object for a text", {"agent": {chinese: wrong}}),
        ("only white space and a mark", {"agent": f"\u202e{chinese}"}),
    ):
        path = _document(stage, "refused", values | change)
        before = set((stage.folder / "outputs" / "cn").iterdir())
        stage.crossvault(BANK, "put", path, code=1)
        (said,) = set((stage.folder / "outputs" / "cn").iterdir()) - before
        stage.refused(f"client, {name}", said.read_text())
    path = _document(stage, "refused", values)
    for name, text in (
        ("cut short", path.read_text()[:-1]),
        ("a key twice", path.read_text().replace('"owner"', '"agent"')),
        ("not JSON behind a value", path.read_text().replace(values["rent"], f'{high}" x "')),
    ):
        path.write_text(text)
        before = set((stage.folder / "outputs" / "cn").iterdir())
        stage.crossvault(BANK, "put", path, code=1)
        (said,) = set((stage.folder / "outputs" / "cn").iterdir()) - before
        stage.refused(f"client, {name}", said.read_text())
    path = _document(stage, "careless", values)
    for name, text in put_carelessly(
        stage.sites.folder(*BANK), path, number=int(high), text=chinese
    ):
        stage.refused(f"vault, {name}", text)
    # By another custodian: what it sends here is in plain, and must not be taken for a leak.
    junk = stage.plant("personal", "junk", letters(24))
    junk_chinese = stage.plant("personal", "junk, Chinese", ideographs())
    for name, word in (("ASCII", junk), ("Chinese", junk_chinese)):
        answers = call_with_junk(stage.sites.folder("cn", "custodian", "trust"), word)
        lines = "\n".join(f"{method}: {text}" for method, text in answers)
        stage.refused(f"vault, junk in {name}", lines)


def _what_hong_kong_may_not(stage: _Stage, document: str) -> None:
    stage.crossvault(SPV, "list", code=1)
    stage.crossvault(SPV, "show", document, code=1)
    stage.crossvault(LISTS, "show", document, code=1)
    desk = stage.desk("spv")
    # Handed in past the check that `crossproof request new` makes.
    schema = json.loads(stage.crossvault(BANK, "list", "--json"))[0]["schema"]
    now = now_utc().replace(microsecond=0)
    asked = Request.build(
        documents=[RequestedDocument("doc", ASSET_ID, schema)],
        facts=["account in 1..2 CNY"],
        sets=[],
        audience="Fund",
        purpose="Curiosity",
        nonce="0" * 64,
        created=now,
        expires=now + timedelta(days=1),
    )
    (desk / "forbidden.request.json").write_bytes(asked.data)
    stage.crossvault(SPV, "request", "submit", desk / "forbidden.request.json", code=1)
    stage.crossvault(SPV, "request", "approve", asked.digest, "--basis", "None", "--yes", code=1)


def _ask_as_holder(stage: _Stage) -> None:
    """What a holder of Hong Kong asks the vault before it forgets a deposit."""
    holder = stage.sites.holders("hk")[0]
    digests = [os.urandom(32), bytes.fromhex(_attested(stage))]
    with connect(holder, holder.sites(), stage.sites.vault.uri) as channel:
        stub: Any = document_pb2_grpc.DocumentServiceStub(channel)
        request = document_pb2.CheckCommittedRequest(attestation_digests=digests)
        assert list(stub.CheckCommitted(request).committed) == digests[1:]


def _attested(stage: _Stage) -> str:
    return str(json.loads(stage.crossvault(BANK, "list", "--json"))[0]["attestation"])
