"""The log of a process: one JSON object a line on standard error, and no values in it.

Messages are written by this package with identifiers only. Of an exception its type is logged and
never its text or its traceback: both can quote what somebody sent.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Time, level, where, and what."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; what a message contains cannot break it into two."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["exception"] = record.exc_info[0].__name__
        return json.dumps(entry, ensure_ascii=False)


def log_to_stderr() -> None:
    """Set the log of this process up; what libraries say is of warnings and above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("vault").setLevel(logging.INFO)
