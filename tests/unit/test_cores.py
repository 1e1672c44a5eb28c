"""The choice of a curve library, and that it changes no byte and no verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support import on_each_core

from proofs import cores, group
from proofs.cores import CoreError

TESTS = Path(__file__).parent.parent
ON_BOTH = [
    TESTS / "unit" / f"test_{name}.py"
    for name in ("group", "equation", "generators", "pedersen", "vectors")
]


def run(*arguments: str, core: str | None) -> subprocess.CompletedProcess[str]:
    """A process of its own, with this core or with the default."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment.pop(cores.VARIABLE, None)
    if core is not None:
        environment[cores.VARIABLE] = core
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=TESTS, env=environment
    )


def uninstall(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make these cores' libraries impossible to import."""
    for name in names:
        monkeypatch.delitem(sys.modules, cores.MODULES[name], raising=False)
        library = {"arkworks": "py_arkworks_bls12381", "py_ecc": "py_ecc"}[name]
        for module in [each for each in sys.modules if each.split(".")[0] == library]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, library, None)


# --- the choice ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "arkworks"),
        ({cores.VARIABLE: ""}, "arkworks"),
        ({cores.VARIABLE: "arkworks"}, "arkworks"),
        ({cores.VARIABLE: "py_ecc"}, "py_ecc"),
    ],
)
def test_the_core_is_the_one_named_or_the_fast_one(
    environment: dict[str, str], expected: str
) -> None:
    """Without a wish the compiled library; an empty variable is no wish."""
    found = cores.choose(environment)
    assert expected == found.NAME


@pytest.mark.parametrize(
    "word", ["ark", "ARKWORKS", "py_ecc ", "py-ecc", "proofs.core_py_ecc", "0"]
)
def test_an_unknown_name_is_refused(word: str) -> None:
    """Nobody gets another core than the one asked for."""
    with pytest.raises(CoreError, match=r"CROSSPROOF_CORE is '.*'; it may be arkworks or py_ecc"):
        cores.choose({cores.VARIABLE: word})


def test_without_a_wheel_the_portable_core_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that cannot be imported is passed over, unless it was named."""
    uninstall(monkeypatch, "arkworks")
    assert cores.choose({}).NAME == "py_ecc"
    with pytest.raises(CoreError, match="is 'arkworks', and its library is not installed"):
        cores.choose({cores.VARIABLE: "arkworks"})


def test_without_any_library_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No traceback of an import for somebody who can do nothing with it."""
    uninstall(monkeypatch, "arkworks", "py_ecc")
    with pytest.raises(CoreError, match="add py-arkworks-bls12381 or py-ecc"):
        cores.choose({})


def test_this_process_has_the_core_that_it_was_given() -> None:
    """`group` says which; the tests that run on both cores hang on it."""
    wanted = os.environ.get(cores.VARIABLE) or "arkworks"
    assert wanted == group.CORE


# --- the commands -------------------------------------------------------------------------------


@pytest.mark.parametrize("core", ["arkworks", "py_ecc"])
def test_the_version_names_the_core(core: str) -> None:
    """With its library and the library's version."""
    done = run("-c", "from proofs.cli import main; main()", "--version", core=core)
    assert (done.returncode, done.stderr) == (0, "")
    assert f", core {core} (" in done.stdout


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("from proofs.cli import main; main()", ["generators"]),
        ("from proofs.cli import main; main()", ["--version"]),
        ("from vault.cli import main; main()", ["demo"]),
    ],
)
def test_a_command_refuses_an_unknown_name_as_wrong_usage(
    program: str, arguments: list[str]
) -> None:
    """One line, exit code 2, no traceback."""
    done = run("-c", program, *arguments, core="x\x1b[2J")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(": CROSSPROOF_CORE is 'x\\x1b[2J'; it may be arkworks or py_ecc\n")
    assert done.stderr.count("\n") == 1


def test_generators_are_the_same() -> None:
    """The command prints the same points and digests, whichever library derived them."""
    command = ("-c", "from proofs.cli import main; main()", "generators", "--norm", "128")
    plain, fast = run(*command, core="py_ecc"), run(*command, core="arkworks")
    assert (plain.returncode, plain.stderr) == (0, "")
    assert plain.stdout == fast.stdout
    assert plain.stdout.count("\n") > 170


# --- proofs and verdicts ------------------------------------------------------------------------


@cache
def made(core: str) -> Any:
    done = run("-m", "support.on_each_core", core=core)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["ranges", "member", "not a member", "opening"])
def test_proofs_have_the_same_bytes(kind: str) -> None:
    """From the same randomness both cores make one proof, and this process makes it too."""
    assert made("py_ecc")["core"] == "py_ecc"
    assert made("py_ecc")["proofs"][kind] == made("arkworks")["proofs"][kind]
    assert made("py_ecc")["proofs"][kind] == on_each_core.made()[kind]


def test_a_core_imports_its_own_library_only() -> None:
    """The check by the second core is one without the first; and the quick one stays quick."""
    plain, fast = set(made("py_ecc")["modules"]), set(made("arkworks")["modules"])
    assert "py_ecc" in plain
    assert not {"py_arkworks_bls12381", "proofs.core_arkworks", "py_ecc.bls"} & plain
    assert not {"py_ecc", "proofs.core_py_ecc"} & fast


def test_deep_recursion_is_bounded_as_before() -> None:
    """The library raises the limit for the whole process; the core puts it back."""
    limit = "sys.getrecursionlimit()"
    program = f"import sys; before = {limit}; import proofs.group; print(before == {limit})"
    assert run("-c", program, core="py_ecc").stdout == "True\n"


@pytest.mark.skipif(group.CORE == "py_ecc", reason="this process does it already")
def test_the_tests_and_every_vector_on_the_portable_core() -> None:
    """What this suite says of the group and of every stored vector holds on the other core."""
    done = run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs"),
        *map(str, ON_BOTH),
        *("--rootdir", str(TESTS.parent), "-c", str(TESTS.parent / "pyproject.toml")),
        # It proves everything anew, which is slow here.
        *("--deselect", "tests/unit/test_vectors.py::test_a_new_base_gives_the_same_outcomes"),
        core="py_ecc",
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = int(done.stdout.rsplit(" passed", 1)[0].split()[-1])
    vectors = json.loads((TESTS / "vectors" / "bundles.json").read_text(encoding="utf-8"))
    assert passed > len(vectors)
    assert "skipped" not in done.stdout
