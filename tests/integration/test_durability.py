"""Processes killed with SIGKILL in the middle of puts: nothing is lost, and nothing is twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from support.cluster import VAULT
from support.sites import make_two_sites
from support.soak import BATCH, check_whole, soak

BATCHES = 12


def test_nothing_is_lost_or_twice_when_processes_are_killed(tmp_path: Path) -> None:
    """The vault and holders are killed again and again while a custodian puts."""
    sites = make_two_sites(tmp_path)
    victims = (VAULT, "cn/h1", VAULT, "hk/h3", VAULT)
    found = soak(sites, random.Random(7), victims, batches=BATCHES)
    expected = [f"cn-kill-{n}-{i}" for n in range(BATCHES) for i in range(BATCH)]
    assert found.kills == Counter(victims)
    assert found.acknowledged == Counter(expected)
    found.check()
    # What is missed is found out: a document that was never deposited.
    with pytest.raises(AssertionError):
        check_whole(sites, ["00" * 32])
