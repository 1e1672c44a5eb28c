"""The `crossproof` command's own `main`, run in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from proofs.cli import main


def run(directory: Path, *arguments: str, text: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error; `text` is its standard input."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    kept = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["crossproof", *arguments], io.StringIO(text)
    try:
        with (
            contextlib.chdir(directory),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.argv, sys.stdin = kept
    return code, out.getvalue(), err.getvalue()
