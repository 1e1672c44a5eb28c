"""Releases from request to folder, with every real part and no processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.release_world import World, make_world
from vault.client.combine import NotEnoughSharesError
from vault.client.release import fetch
from vault.errors import NotAllowedError, NotFoundError
from vault.model import PERSONAL
from vault.release_model import HolderState


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "world")
    yield made
    made.close()


def test_asset_part_opens_with_both_sides(world: World, tmp_path: Path) -> None:
    """With an approval of each side an SPV gets the asset part's values, each as attested."""
    own = world.ask(world.put())
    assert world.decide("cn", own) == [HolderState.WAITING] * 3
    assert world.decide("hk", own) == [HolderState.WAITING] * 3
    fetched = fetch(own, world.link(world.spv), world.spv.sites(), tmp_path / "out")
    content = json.loads((tmp_path / "out" / "attributes.json").read_text())
    found = {each["name"]: (each["value"], each["agrees"]) for each in content["attributes"]}
    assert found == {"code": ("PV-7", True), "capacity": ("20.000 MW", True)}
    assert content["absent"] == ["commissioned"]
    assert [finding.good for finding in fetched.combined.findings] == [True] * 6


def test_one_side_is_not_enough(world: World, tmp_path: Path) -> None:
    """With the approval of one side alone nothing opens, and the message says who is missing."""
    own = world.ask(world.put())
    world.decide("cn", own)
    with pytest.raises(NotEnoughSharesError, match="cn 3 of 2 needed, hk 0 of 2 needed") as caught:
        fetch(own, world.link(world.spv), world.spv.sites(), tmp_path / "out")
    assert "hk/holder/h1: no officer of hk has approved" in str(caught.value)
    assert list(tmp_path.glob("*out*")) == []
