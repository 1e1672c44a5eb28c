"""The key manifest: the custodian's signed list of who holds which share of a document version.

It carries quorums, holders with the ids of their keys, and a labelled digest of every plain share
at exactly its place and of each secret, so that a forged or moved share is named and dropped. It
goes to holders and to the clients of a release, never into a proof bundle. Refused: sides, parts
or indices in another order than the one spelling, a personal key of Hong Kong, two holders with
one URI, a quorum that a minority or a single holder would meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from proofs import canonical
from proofs.attestation import MAX_VERSION
from proofs.canonical import Fields, Json
from proofs.errors import EncodingError
from proofs.ids import check_document, digest_of
from proofs.principal import Principal
from vault.crypto.shares import MAX_SHARES, check_quorum
from vault.errors import InvalidInputError
from vault.model import PARTS, SIDES, Part, Side, sides_of

FORMAT: Final = "crossvault/key-manifest/v1"
LIMIT: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class ManifestHolder:
    """One holder: its index (1..n), its URI, and the id of the HPKE key its share is sealed to."""

    index: int
    uri: str
    key: str


@dataclass(frozen=True, slots=True)
class ManifestSide:
    """One side's quorum: any `threshold` of `holders`, who stand in the order of their indices."""

    side: Side
    threshold: int
    holders: tuple[ManifestHolder, ...]

    def holder(self, uri: str) -> ManifestHolder | None:
        """The holder with this URI."""
        return next((holder for holder in self.holders if holder.uri == uri), None)


@dataclass(frozen=True, slots=True)
class SideSecret:
    """Digests of one side's scalar of one part, and of its shares in the order of indices."""

    side: Side
    secret: bytes
    shares: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ManifestPart:
    """The secrets of one part, one a side that has a say in it."""

    part: Part
    keys: tuple[SideSecret, ...]


@dataclass(frozen=True, slots=True)
class KeyManifest:
    """A payload as read. `data` are its exact bytes and `digest` their SHA-256."""

    data: bytes
    digest: str
    document: str
    version: int
    attestation: str
    epoch: int
    previous: str | None
    sides: tuple[ManifestSide, ...]
    parts: tuple[ManifestPart, ...]

    @classmethod
    def build(
        cls,
        *,
        document: str,
        version: int,
        attestation: str,
        sides: Sequence[ManifestSide],
        parts: Sequence[ManifestPart],
        epoch: int = 1,
        previous: str | None = None,
    ) -> KeyManifest:
        """The payload to be signed (`data`), as read back; EncodingError for what is refused."""
        payload: dict[str, Json] = {
            "attestation": attestation,
            "document": document,
            "epoch": epoch,
            "format": FORMAT,
            "parts": [
                {
                    "keys": [
                        {
                            "secret": key.secret.hex(),
                            "shares": [share.hex() for share in key.shares],
                            "side": key.side,
                        }
                        for key in part.keys
                    ],
                    "part": part.part,
                }
                for part in parts
            ],
            "sides": [
                {
                    "holders": [
                        {"index": holder.index, "key": holder.key, "uri": holder.uri}
                        for holder in side.holders
                    ],
                    "side": side.side,
                    "threshold": side.threshold,
                }
                for side in sides
            ],
            "version": version,
        }
        if previous is not None:
            payload["previous"] = previous
        return cls.parse(canonical.dump(payload))

    @classmethod
    def parse(cls, data: bytes) -> KeyManifest:
        """Read exact payload bytes; the signature is checked before. Raises EncodingError."""
        where = "key manifest"
        fields = Fields(canonical.parse(data, limit=LIMIT, where=where), where)
        fields.literal("format", FORMAT)
        epoch = fields.integer("epoch", 1, MAX_VERSION)
        previous = fields.optional_hex("previous", 32)
        if (previous is None) != (epoch == 1):
            raise EncodingError(f"{where}: every epoch but the first names the manifest before it")
        sides = _read_sides(canonical.spell(fields.raw("sides")))
        parts = tuple(
            _read_part(item, part, sides)
            # One or two parts, the asset part first.
            for item, part in zip(fields.objects("parts", 2, least=1), PARTS, strict=False)
        )
        manifest = cls(
            data=data,
            digest=digest_of(data),
            document=check_document(fields.text("document", 32), where=f"{where}.document"),
            version=fields.integer("version", 1, MAX_VERSION),
            attestation=fields.hex("attestation", 32),
            epoch=epoch,
            previous=previous,
            sides=sides,
            parts=parts,
        )
        fields.end()
        return manifest

    def side(self, side: Side) -> ManifestSide:
        """The quorum of one side."""
        return self.sides[SIDES.index(side)]

    def part(self, part: Part) -> ManifestPart | None:
        """The secrets of one part, None where the document has no such part."""
        return next((found for found in self.parts if found.part == part), None)

    def secret(self, part: Part, side: Side) -> SideSecret | None:
        """The digests of one side's secret of one part."""
        found = self.part(part)
        return next((key for key in found.keys if key.side == side), None) if found else None

    def parts_of(self, side: Side) -> tuple[Part, ...]:
        """The parts of which this side's holders have shares."""
        return tuple(found.part for found in self.parts if side in sides_of(found.part))


@lru_cache(maxsize=64)  # a custodian's manifests all name the same two quorums
def _read_sides(spelt: bytes) -> tuple[ManifestSide, ...]:
    where = "key manifest"
    fields = Fields({"sides": canonical.parse(spelt, limit=LIMIT, where=where)}, where)
    return tuple(
        _read_side(item, side)
        for item, side in zip(fields.objects("sides", 2, least=2), SIDES, strict=True)
    )


def _read_side(fields: Fields, side: Side) -> ManifestSide:
    fields.literal("side", side)
    threshold = fields.integer("threshold", 2, MAX_SHARES)
    holders = []
    for place, item in enumerate(fields.objects("holders", MAX_SHARES, least=2), start=1):
        holder = ManifestHolder(
            index=item.integer("index", place, place),
            uri=item.text("uri", 400),
            key=item.hex("key", 32),
        )
        item.end()
        if not _holds_for(holder.uri, side):
            raise EncodingError(f"{item.where}: {holder.uri} is not a key holder of {side}")
        holders.append(holder)
    fields.end()
    if len({holder.uri for holder in holders}) != len(holders):
        # One holder with two shares would count twice towards the quorum.
        raise EncodingError(f"{fields.where}: a holder occurs twice")
    try:
        check_quorum(threshold, len(holders))
    except InvalidInputError as error:
        raise EncodingError(f"{fields.where}: {error}") from None
    return ManifestSide(side, threshold, tuple(holders))


@lru_cache(maxsize=1024)  # the same few holders stand in every manifest
def _holds_for(uri: str, side: Side) -> bool:
    principal = Principal.parse(uri)
    return (principal.jurisdiction, principal.role) == (side, "holder")


def _read_part(fields: Fields, part: Part, sides: Sequence[ManifestSide]) -> ManifestPart:
    fields.literal("part", part)
    expected = sides_of(part)
    keys = []
    items = fields.objects("keys", len(expected), least=len(expected))
    for item, side in zip(items, expected, strict=True):
        item.literal("side", side)
        count = len(sides[SIDES.index(side)].holders)
        where = f"{item.where}.shares"
        shares = [
            bytes.fromhex(canonical.check_hex(text, nbytes=32, where=where))
            for text in item.texts("shares", count, 64, least=count)
        ]
        keys.append(SideSecret(side, bytes.fromhex(item.hex("secret", 32)), tuple(shares)))
        item.end()
    fields.end()
    return ManifestPart(part, tuple(keys))
