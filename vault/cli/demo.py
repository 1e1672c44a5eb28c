"""`crossvault demo`: both sides on this machine, from a sealed document to a verdict.

Every step is a command that a person could type, run for real and shown with what it prints: two
sites in two folders, their seven processes on loopback over mutual TLS, sample documents, and
`crossproof` in a process of its own. Making both sides in one place is what nobody else does;
each side's commands touch its own folder.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from proofs.canonical import encode_base64, format_instant
from proofs.envelope import key_id
from vault.cli.demo_portfolio import prove_portfolio
from vault.cli.processes import free_ports, processes_of, running
from vault.cli.stage import Stage
from vault.errors import UnavailableError
from vault.identity import Identity
from vault.pki import now_utc

FUND: Final = "Harbour Bridge Fund 海桥基金"
BASIS: Final = "PIPL Art. 38; GBA Standard Contract"
PURPOSE: Final = "Due diligence for the 2027 green note 尽职调查"
CUSTODIAN: Final = ("--as", "mainland/identities/custodian/yuehai")
SPV: Final = ("--as", "hongkong/identities/spv/harbour")
AUTHORITY: Final = ("--as", "hongkong/identities/authority/registry")
AUDITOR: Final = ("--as", "mainland/identities/auditor/jianyi")

PEOPLE: Final = {
    "mainland": (("custodian", "yuehai"), ("officer", "wang"), ("auditor", "jianyi")),
    "hongkong": (("spv", "harbour"), ("officer", "lee"), ("authority", "registry")),
}
KINDS: Final = ("pv-plant", "battery-swap-station", "carbon-quota", "stablecoin-reserve")
SETS: Final = {
    "sample-sanctions": "sample-sanctions.txt",
    "licensed-banks": "sample-licensed-banks.txt",
}
PV_FACTS: Final = (
    "capacity in 20..50 MW",
    "annual_yield >= 8.00%",
    "province in {Guangdong, Jiangsu, Anhui}",
    "owner not in @sample-sanctions",
)
OWN_PROOFS: Final = {
    "battery-swap-station": ("swaps_per_day >= 250 swaps", "opened >= 2022-01-01"),
    "carbon-quota": ("quantity in 150000..250000 tCO2e", 'scheme = "National ETS"'),
    "stablecoin-reserve": ("reserve >= 500000000.00 HKD", "bank in @licensed-banks"),
}


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--ipfs", is_flag=True, help="Keep the blocks in two Kubo daemons (needs `ipfs`).")
@click.option("--keep", is_flag=True, help="Leave both sides running until Ctrl-C.")
def demo(folder: Path | None, ipfs: bool, keep: bool) -> None:
    """Both sides on this machine, in under a minute.

    Seals sample documents, proves facts about them and releases one, and shows every command.
    What it made stays in FOLDER, which must be empty, or in a temporary folder.
    """
    started = time.monotonic()
    target = Path(tempfile.mkdtemp(prefix="crossvault-demo-")) if folder is None else folder
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise click.UsageError(f"{target} is not empty")
    stage = Stage(target.resolve(), Console(highlight=False))
    with ExitStack() as stack:
        _two_sides(stage)
        node = _start(stage, stack, ipfs=ipfs)
        documents = _store(stage)
        checks = _ask_and_prove(stage) + _own_proofs(stage, documents) + _portfolio(stage)
        release = _attempts_that_fail(stage, node)
        _release(stage, release, node)
        _close(stage, checks, time.monotonic() - started)
        if keep:
            stage.say("Both sides keep running; Ctrl-C ends them.")
            threading.Event().wait()


def _two_sides(stage: Stage) -> None:
    stage.heading("Two sides, each with keys of its own 两地各建一方")
    base = free_ports(9)
    for side, name, port in (("cn", "mainland", base), ("hk", "hongkong", base + 5)):
        stage.crossvault("init", name, "--site", side, "--port-base", str(port))
    for name, people in PEOPLE.items():
        for role, person in people:
            extra = ("--person", f"{name}-{person}") if role == "officer" else ()
            stage.crossvault("identity", "issue", role, person, *extra, "--dir", name, quiet=True)
    enrolled = (f"{role} {person}" for people in PEOPLE.values() for role, person in people)
    stage.say(f"enrolled {', '.join(enrolled)}")
    for mine, theirs in (("mainland", "hongkong"), ("hongkong", "mainland")):
        # Two people would read this to each other over the telephone.
        shown = json.loads(stage.crossvault("site", "show", "--json", "--dir", theirs, quiet=True))
        (fingerprint,) = (
            each["fingerprint"]
            for each in shown
            if (each["jurisdiction"] == "cn") == (theirs == "mainland")
        )
        stage.crossvault(
            "site", "add", f"{theirs}/site.json", "--fingerprint", fingerprint, "--dir", mine
        )


def _start(stage: Stage, stack: ExitStack, *, ipfs: bool) -> tuple[str, ...]:
    """Start everything; the options with which Hong Kong reads blocks from its own node."""
    node: tuple[str, ...] = ()
    if ipfs:
        node = _start_kubo(stage, stack)
    processes = [process for name in PEOPLE for process in processes_of(stage.folder / name)]
    stack.enter_context(running(processes))
    stage.say(f"started {len(processes)} processes: the vault, and 3 + 3 key holders")
    return node


def _start_kubo(stage: Stage, stack: ExitStack) -> tuple[str, ...]:
    from vault.cli.kubo_daemons import find_ipfs, private_swarm

    binary = find_ipfs()
    if binary is None:
        raise UnavailableError(
            "no ipfs binary found: `make kubo` builds one (needs Go); or put one on PATH, or "
            "name it in IPFS_BINARY"
        )
    mainland, hongkong = stack.enter_context(
        private_swarm(binary, stage.folder / "kubo", "mainland", "hongkong")
    )
    config = stage.folder / "mainland" / "site.toml"
    settings = (
        'store = "kubo"\n'
        f'kubo_api = "{mainland.address}"\n'
        f'kubo_credentials = "{mainland.credentials}"'
    )
    config.write_text(config.read_text().replace('store = "embedded"', settings))
    stage.say("started 2 Kubo daemons in a private swarm, one for each side")
    return ("--kubo-api", hongkong.address, "--kubo-credentials", str(hongkong.credentials))


def _store(stage: Stage) -> dict[str, str]:
    """Schemas, four documents and two sets; the documents' ids by kind."""
    stage.heading("The custodian seals documents, the vault stores ciphertext 加密存证")
    with resources.as_file(resources.files("vault") / "samples") as samples:
        shutil.copytree(samples, stage.folder / "samples")
    for kind in KINDS:
        stage.crossvault("schema", "add", f"samples/{kind}.schema.json", *CUSTODIAN, quiet=True)
    stage.say(f"pinned and registered {len(KINDS)} schemas")
    documents = {}
    for kind in KINDS:
        attach = ("--attach", "asset:samples/pv-plant-inspection.md") if kind == KINDS[0] else ()
        output = stage.crossvault("put", f"samples/{kind}.json", *attach, *CUSTODIAN)
        documents[kind] = output.strip()
    stage.crossvault("list", *CUSTODIAN)
    for name, file in SETS.items():
        source = ("--source", "Sample register 示例名录", "-o", f"{name}.set")
        stage.crossvault(
            "set", "add", name, f"samples/{file}", "--type", "name", *source, *AUTHORITY
        )
    return documents


def _ask_and_prove(stage: Stage) -> list[str]:
    """From the investor's nonce to the verdict; the command that gave it."""
    stage.heading("An investor asks, the custodian consents, anyone verifies 询问、同意、验证")
    _pin(stage)
    digest = _new_request(stage, "request.json", PV_FACTS, PURPOSE)
    stage.crossvault("request", "submit", "request.json", *SPV)
    stage.crossvault("request", "approve", digest, "--basis", BASIS, "--yes", *CUSTODIAN)
    stage.crossvault("request", "fetch", digest, "-o", "pv-plant.proof.json", *SPV)
    return [
        _verify(
            stage,
            *("pv-plant.proof.json", "--trust", "trust.toml", "--request", "request.json"),
            *("--set", "sample-sanctions.set"),
        )
    ]


def _own_proofs(stage: Stage, documents: dict[str, str]) -> list[str]:
    stage.say("And of its own accord, for the other three 托管人自行出具")
    checks = []
    for kind, facts in OWN_PROOFS.items():
        stage.crossvault(
            *("prove", documents[kind], *_facts(facts), "--audience", FUND),
            *("--purpose", "Quarterly report 季度报告", "--basis", BASIS),
            *("-o", f"{kind}.proof.json", *CUSTODIAN),
        )
        sets = ("--set", "licensed-banks.set") if kind == "stablecoin-reserve" else ()
        arguments = (f"{kind}.proof.json", "--trust", "trust.toml", "--audience", FUND, *sets)
        checks.append(_verify(stage, *arguments, quiet=True))
    stage.say(f"{len(checks)} more bundles, each verified by `crossproof`")
    return checks


def _portfolio(stage: Stage) -> list[str]:
    given = ("--audience", FUND, "--purpose", "Quarterly report 季度报告", "--basis", BASIS)
    bundle = prove_portfolio(stage, CUSTODIAN, given)
    sets = ("--set", "sample-sanctions.set")
    return [_verify(stage, bundle, "--trust", "trust.toml", "--audience", FUND, *sets)]


def _attempts_that_fail(stage: Stage, node: tuple[str, ...]) -> str:
    """Four things that must not work; the digest of the release that waits for its second side."""
    stage.heading("Four attempts that fail 四种失败的尝试")
    stage.say("A proof in which one bit was changed 篡改证明")
    bundle = json.loads((stage.folder / "pv-plant.proof.json").read_bytes())
    proof = bytearray(base64.b64decode(bundle["proof"]))
    proof[-1] ^= 1
    bundle["proof"] = encode_base64(bytes(proof))
    changed = json.dumps(bundle, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (stage.folder / "changed.json").write_text(changed)
    _verify(
        stage,
        *("changed.json", "--trust", "trust.toml", "--request", "request.json"),
        *("--set", "sample-sanctions.set"),
        fails=True,
    )
    stage.say("A fact that is false: the custodian learns it, the asker does not 虚假事实")
    digest = _new_request(stage, "false-request.json", ("annual_yield >= 20.00%",), "Curiosity")
    stage.crossvault("request", "submit", "false-request.json", *SPV, quiet=True)
    approve = ("request", "approve", digest, "--basis", BASIS, "--yes")
    stage.crossvault(*approve, *CUSTODIAN, fails=True)
    stage.crossvault("request", "fetch", digest, "-o", "none.json", *SPV, fails=True)
    stage.say("A release that the mainland alone approved 仅一方批准的开启")
    request = ("release", "request", "pv-plant.proof.json", "--purpose", PURPOSE, "--basis", BASIS)
    stage.crossvault(*request, *SPV)
    (own,) = json.loads(stage.crossvault("release", "list", "--json", *SPV, quiet=True))
    release = str(own["digest"])[:16]
    _officer(stage, "mainland", "wang", release)
    fetch = ("release", "fetch", release, "-o", "too-early", *SPV, *node)
    stage.crossvault(*fetch, fails=True)
    stage.say("Hong Kong asks for the personal part 香港索取个人信息")
    stage.crossvault(*request, "--part", "personal", *SPV, fails=True)
    return release


def _release(stage: Stage, release: str, node: tuple[str, ...]) -> None:
    stage.heading("Both sides have approved: the asset part opens 双方批准后开启")
    _officer(stage, "hongkong", "lee", release)
    stage.crossvault("release", "fetch", release, "-o", "opened", *SPV, *node)
    stage.say("And what the auditor reads of all this 审计员所见")
    stage.crossvault("log", "list", *AUDITOR, lines=20)


def _close(stage: Stage, checks: list[str], seconds: float) -> None:
    (stage.folder / "verify.txt").write_text("".join(f"{line}\n" for line in checks))
    stage.heading(f"Done in {seconds:.0f} seconds 完成")
    stage.say(f"Everything is in {stage.folder}. Go there and try:")
    for line in (
        "sh verify.txt                            check every proof again, offline",
        "crossproof inspect pv-plant.proof.json   what a bundle claims",
        "crossproof trust show trust.toml         whom the investor believes",
        "cat opened/attributes.json               what the release opened",
    ):
        stage.say(f"  {line}")
    programs = Path(sys.executable).parent
    if str(programs) not in os.environ.get("PATH", "").split(os.pathsep):
        stage.say(f"  (with {programs} on your PATH)")


def _officer(stage: Stage, side: str, name: str, release: str) -> None:
    officer = ("--as", f"{side}/identities/officer/{name}")
    stage.crossvault("release", "approve", release, "--yes", *officer)


def _verify(stage: Stage, *arguments: str, fails: bool = False, quiet: bool = False) -> str:
    """Run `crossproof verify`, and give the command line back."""
    stage.crossproof("verify", *arguments, fails=fails, quiet=quiet)
    return f"crossproof verify {shlex.join(arguments)}"


def _new_request(stage: Stage, file: str, facts: tuple[str, ...], purpose: str) -> str:
    """The verifier writes a request; the beginning of its digest."""
    sets = ("--set", "sample-sanctions.set") if any("@" in fact for fact in facts) else ()
    output = stage.crossproof(
        *("request", "new", "--schema", "samples/pv-plant.schema.json", "--asset", "cn-pv-000123"),
        *_facts(facts),
        *(*sets, "--trust", "trust.toml", "--audience", FUND, "--purpose", purpose, "-o", file),
    )
    return output.strip()[:16]


def _facts(facts: tuple[str, ...]) -> list[str]:
    return [word for fact in facts for word in ("--fact", fact)]


def _pin(stage: Stage) -> None:
    """The investor's trust file; the fingerprints would come on paper."""
    now = now_utc().replace(microsecond=0)
    validity = (
        *("--valid-from", format_instant(now.replace(hour=0, minute=0, second=0))),
        *("--valid-until", format_instant(now.replace(year=now.year + 1))),
    )
    for kind, folder, name_en, name_zh in (
        (
            "custodian",
            "mainland/identities/custodian/yuehai",
            "Yuehai Custody Co., Ltd.",
            "粤海托管有限公司",
        ),
        ("authority", "hongkong/identities/authority/registry", "Sample Register", "示例名录"),
    ):
        key = Identity.load(stage.folder / folder).signing_key.public_key().public_bytes_raw()
        scope = [word for each in KINDS for word in ("--schema", f"samples/{each}.schema.json")]
        for prefix in ("cn-*", "hk-*"):
            scope += ["--asset", prefix]
        if kind == "authority":
            scope = [word for name in SETS for word in ("--set", name)]
        stage.crossproof(
            *("trust", "add", "trust.toml", f"--{kind}", "--key", encode_base64(key)),
            *("--name-en", name_en, "--name-zh", name_zh, *validity, *scope),
            *("--fingerprint", key_id(key)),
            quiet=True,
        )
    stage.crossproof("trust", "show", "trust.toml")
