"""`crossvault init`, `site` and `identity` as a person types them: results, messages, codes."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from proofs.cli import cli as crossproof
from proofs.errors import TrustError
from vault.cli import run
from vault.config import SiteConfig
from vault.identity import Identity
from vault.sites import SiteSet


@pytest.fixture
def both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    """Two fresh sides, not joined."""
    for side in ("cn", "hk"):
        assert run(["init", "--site", side, str(tmp_path / side)]) == 0
    capsys.readouterr()
    return tmp_path / "cn", tmp_path / "hk"


def fingerprint(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A side's fingerprint, as `site show --json` tells it."""
    assert run(["site", "show", "--dir", str(folder), "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)[0]["fingerprint"])


def test_two_sides_are_made_and_joined(
    both: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of the first page: init twice, issue, add on both sides."""
    cn, hk = both
    assert run(["identity", "issue", "custodian", "bank", "--dir", str(cn)]) == 0
    made = Path(capsys.readouterr().out.strip())
    assert Identity.load(made).uri == "spiffe://rwa.example/cn/custodian/bank"
    for here, there in ((cn, hk), (hk, cn)):
        line = ["site", "add", str(there / "site.json"), "--dir", str(here)]
        assert run([*line, "--fingerprint", fingerprint(there, capsys)]) == 0
        assert run(line) == 0  # again, by the pin
    assert SiteSet.load(made / "sites").has("hk")
    config = SiteConfig.load(hk)
    assert config.vault is not None
    assert config.vault.uri == "spiffe://rwa.example/cn/vault/main"
    assert run(["site", "show", "--dir", str(cn)]) == 0
    shown = capsys.readouterr().out
    assert "cn  number 2" in shown
    assert "spiffe://rwa.example/hk/holder/h3" in shown


def test_no_trust_on_first_use(both: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a fingerprint it is a usage error, with a wrong one a refusal; nothing is pinned."""
    cn, hk = both
    line = ["site", "add", str(hk / "site.json"), "--dir", str(cn)]
    wrong = fingerprint(cn, capsys)
    assert run(line) == 2
    assert "--fingerprint" in capsys.readouterr().err
    assert run([*line, "--fingerprint", wrong]) == 1
    assert "compare it" in capsys.readouterr().err
    assert run([*line, "--fingerprint", "1234"]) == 1
    assert not SiteSet.load(cn / "sites").has("hk")


def test_an_identity_elsewhere_takes_later_files(
    both: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An identity folder that was carried away takes its own side's next number by the pin."""
    cn, _ = both
    assert run(["identity", "issue", "custodian", "bank", "--dir", str(cn)]) == 0
    away = tmp_path / "laptop"
    Path(capsys.readouterr().out.strip()).rename(away)
    assert run(["identity", "issue", "auditor", "x", "--dir", str(cn)]) == 0
    assert SiteSet.load(away / "sites").site("cn").number == 2
    assert run(["site", "add", str(cn / "site.json"), "--identity", str(away)]) == 0
    assert SiteSet.load(away / "sites").site("cn").number == 3
    assert run(["identity", "renew", "custodian", "bank", "--dir", str(cn)]) == 1
    assert "bring the identity's folder back" in capsys.readouterr().err


def test_identities_are_listed_renewed_and_removed(
    both: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command changes the list as it says, and says the new number of the file."""
    _, hk = both
    line = ["identity", "issue", "officer", "lee", "--dir", str(hk)]
    assert run(line) == 1
    assert "--person" in capsys.readouterr().err
    assert run([*line, "--person", "lee-1970"]) == 0
    assert run(["identity", "renew", "officer", "lee", "--days", "9", "--dir", str(hk)]) == 0
    assert "number 3" in capsys.readouterr().err
    assert run(["identity", "list", "--dir", str(hk), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [item["person"] for item in listed if "officer" in item["uri"]] == ["lee-1970"]
    assert run(["identity", "remove", "officer", "lee", "--dir", str(hk)]) == 0
    assert run(["identity", "remove", "officer", "lee", "--dir", str(hk)]) == 1
    assert run(["identity", "list", "--dir", str(hk)]) == 0
    assert "officer" not in capsys.readouterr().out


def test_a_public_key_is_printed_for_outsiders(
    both: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key alone on standard output, URI and fingerprint beside it; a verifier can pin it."""
    cn, _ = both
    assert run(["identity", "issue", "custodian", "bank", "--dir", str(cn)]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert run(["identity", "key", "custodian", "bank", "--dir", str(cn)]) == 0
    printed = capsys.readouterr()
    public = Identity.load(folder).signing_key.public_key().public_bytes_raw()
    assert base64.b64decode(printed.out.strip(), validate=True) == public
    uri, told = printed.err.splitlines()
    assert uri == "spiffe://rwa.example/cn/custodian/bank"
    shown = told.removeprefix("fingerprint").strip()
    assert shown.replace(" ", "") == hashlib.sha256(public).hexdigest()
    key, trust = tmp_path / "bank.key", tmp_path / "trust.toml"
    key.write_text(printed.out)
    line = ["trust", "add", str(trust), "--custodian", "--key", str(key), "--fingerprint", shown]
    line += ["--name-en", "Bank", "--name-zh", "银行", "--schema", "00" * 32, "--asset", "cn-*"]
    line += ["--valid-from", "2026-01-01", "--valid-until", "2027-12-31"]
    assert CliRunner().invoke(crossproof, line).exit_code == 0
    other = "0" * 64 if shown[0] != "0" else "1" * 64
    refused = [other if each == shown else each for each in line]
    refused[2] = str(tmp_path / "other.toml")
    assert isinstance(CliRunner().invoke(crossproof, refused).exception, TrustError)
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["identity", "key", "spv", "nobody"], 1, "is not enrolled"),
        (["identity", "key", "custodian", "x"], 1, "the roles of hk"),
        (["identity", "issue", "custodian", "x"], 1, "the roles of hk"),
        (["identity", "issue", "spv", "Bad Name"], 1, "a name is"),
        (["identity", "issue", "spv", "../../x"], 1, "a name is"),
        (["identity", "issue", "spv"], 2, "Missing argument"),
        (["identity", "issue", "spv", "x", "--days", "0"], 2, "--days"),
        (["identity", "issue", "holder", "h9"], 1, "all are enrolled"),
        (["site", "add", "nowhere.json"], 1, "no such file"),
    ],
)
def test_refusals_say_what_is_wrong(
    both: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    line: list[str],
    code: int,
    said: str,
) -> None:
    """Exit code 1 for refusals and 2 for usage, a message on standard error, no traceback."""
    assert run([*line, "--dir", str(both[1])]) == code
    caught = capsys.readouterr()
    assert said in caught.err
    assert caught.out == ""
    assert "Traceback" not in caught.err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--holders", "4", "--threshold", "2"], 1, "more than half"),
        (["--trust-domain", "no domain"], 1, "trust domain"),
        (["--host", "a b"], 1, "host:port"),
        (["--port-base", "70000"], 2, "--port-base"),
    ],
)
def test_a_bad_site_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, said: str
) -> None:
    """What cannot be is refused before a folder is made, so that the next try succeeds."""
    line = ["init", "--site", "cn", str(tmp_path / "new")]
    assert run([*line, *options]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "new" / "private").exists()
    assert run(line) == 0
    assert run(line) == 1
    assert "a site already" in capsys.readouterr().err


def test_no_site_and_no_identity_say_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an empty folder the message names the command that would help."""
    assert run(["identity", "list", "--dir", str(tmp_path)]) == 1
    assert "crossvault init" in capsys.readouterr().err
    assert run(["nonsense"]) == 2
