"""Where a document's life (see `leak_life`) could have left a secret: the places to be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.canaries import Piece, files_under, traffic_under, unfolded


@dataclass(frozen=True)
class Place:
    """Somewhere that a secret could have got to: files, or recorded connections."""

    root: Path
    files: tuple[str, ...] = ()
    connections: Callable[[str], bool] | None = None

    def pieces(self) -> Iterator[Piece]:
        """All there is to search, also behind base64."""
        if self.connections is not None:
            return unfolded(traffic_under(self.root, self.connections))
        found = [path for pattern in self.files for path in sorted(self.root.glob(pattern))]
        assert found, (self.root, self.files)
        return unfolded(files_under(*found))


def places(folder: Path) -> dict[str, Place]:
    """Every place but two: the custodian's desk, and what a release opened."""
    cn, hk = folder / "cn", folder / "hk"
    traffic = folder / "traffic"
    return {
        "shared block store": Place(cn / "vault", ("blocks",)),
        "onshore block store": Place(cn / "vault", ("personal",)),
        "vault's databases": Place(cn / "vault", ("*.db*", "set-cache")),
        "cn holders": Place(cn / "holders", ("*",)),
        "cn site and identities": Place(cn, ("site*", "identities", "private", "ca.pem")),
        **{f"hk holder {name}": Place(hk / "holders", (name,)) for name in ("h1", "h2", "h3")},
        "hk site and identities": Place(hk, ("site*", "identities", "private", "ca.pem")),
        "logs of cn processes": Place(folder / "logs", ("cn-*.log",)),
        "logs of hk processes": Place(folder / "logs", ("hk-*.log",)),
        "arguments and environment": Place(folder / "processes", ("*",)),
        "what hk commands said": Place(folder / "outputs" / "hk", ("*",)),
        "refusals": Place(folder / "refusals", ("*",)),
        "bundles, grants and requests": Place(folder / "desks", ("verifier", "spv/*.json")),
        "hk traffic": Place(traffic, connections=lambda name: " hk-" in name),
        "custodian's traffic": Place(
            traffic, connections=lambda name: " cn-custodian-bank " in name
        ),
        # What was sent with junk in it is in plain; what came back must not be.
        "vault's answers to junk": Place(
            traffic, connections=lambda name: " cn-custodian-trust " in name and "response" in name
        ),
    }


def opened_places(folder: Path) -> dict[str, Place]:
    """What the SPV's release opened and printed: asset values, and nothing personal."""
    return {
        "opened by the SPV": Place(folder / "desks" / "spv", ("opened",)),
        "printed as it was opened": Place(folder / "outputs" / "opened", ("*",)),
    }


def hk_side(folder: Path) -> dict[str, Place]:
    """All that is in Hong Kong or crossed to it, opened parts too."""
    wanted = ("hk ", "logs of hk", "what hk", "bundles")
    found = {name: place for name, place in places(folder).items() if name.startswith(wanted)}
    return found | opened_places(folder)
