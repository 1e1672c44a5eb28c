"""What proving takes: value and blinding of every attribute that is present, kept secret.

Of a text it holds the hash, not the text; only for a public attribute the text too, so that it
can be shown. The custodian's client makes it with fresh blindings and seals it to the vault,
which checks it against the attestation before believing it. It decides nothing about release.

SPEC.md, "Attestation".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from proofs import canonical, group, pedersen
from proofs.attestation import Attestation
from proofs.canonical import Fields, Json
from proofs.errors import BindingError, CrossproofError, EncodingError
from proofs.group import SCALAR_BYTES, Scalar
from proofs.normaliser import TextKind
from proofs.schema import MAX_ATTRIBUTES, MAX_TEXT, Attribute, AttributeClass, AttributeType, Schema
from proofs.text import text_scalar
from proofs.values import Value, format_value, value_scalar

FORMAT = "crossvault/witness/v1"
LIMIT = 1 << 19


@dataclass(frozen=True, slots=True, repr=False)
class Witness:
    """One (value, blinding) an attribute in the schema's order, None where absent.

    `texts` holds the normalised text of each present public enum, identifier and name.
    """

    values: tuple[tuple[Scalar, Scalar] | None, ...]
    texts: Mapping[str, str]

    def __repr__(self) -> str:
        return "Witness(redacted)"

    @classmethod
    def draw(cls, schema: Schema, values: Mapping[str, Value | None]) -> Witness:
        """A witness of these values (from `read_attributes`) with fresh random blindings.

        Call it once for each document version: a blinding that is used twice tells whether two
        values are equal, and their difference.
        """
        pairs: list[tuple[Scalar, Scalar] | None] = []
        texts: dict[str, str] = {}
        for attribute in schema.attributes:
            value = values[attribute.name]
            if value is None:
                pairs.append(None)
                continue
            pairs.append((value_scalar(attribute, value), group.random_scalar()))
            if _keeps_text(attribute):
                texts[attribute.name] = cast(str, value)
        return cls(tuple(pairs), texts)

    def commitments(self) -> tuple[bytes | None, ...]:
        """48 bytes for each present attribute: what the attestation carries."""
        return tuple(
            None if pair is None else group.encode_point(pedersen.commit(*pair))
            for pair in self.values
        )

    def encode(self) -> bytes:
        """Canonical JSON, to be sealed and never stored plain."""
        openings = [
            group.encode_scalar(part) for pair in self.values if pair is not None for part in pair
        ]
        payload: dict[str, Json] = {
            "format": FORMAT,
            "openings": canonical.encode_base64(b"".join(openings)),
            "presence": "".join("0" if pair is None else "1" for pair in self.values),
            "texts": dict(self.texts),
        }
        return canonical.dump(payload)

    @classmethod
    def parse(cls, data: bytes) -> Witness:
        """Read exact bytes; EncodingError for anything that `encode` would not write."""
        fields = Fields(canonical.parse(data, limit=LIMIT, where="witness"), "witness")
        fields.literal("format", FORMAT)
        presence = fields.text("presence", MAX_ATTRIBUTES)
        if presence.strip("01"):
            raise EncodingError("witness.presence: only 0 and 1, one for each attribute")
        size = 2 * SCALAR_BYTES
        openings = fields.base64("openings", presence.count("1") * size)
        texts = fields.raw("texts")
        fields.end()
        if len(openings) != presence.count("1") * size:
            raise EncodingError("witness.openings: another length than the attributes take")
        if not isinstance(texts, dict) or len(texts) > MAX_ATTRIBUTES:
            raise EncodingError("witness.texts: must be an object of texts")
        for text in texts.values():
            if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT:
                raise EncodingError("witness.texts: must be an object of texts")
        each = iter(range(0, len(openings), size))
        values: list[tuple[Scalar, Scalar] | None] = []
        for mark in presence:
            if mark == "0":
                values.append(None)
                continue
            at = next(each)
            values.append(
                (
                    group.decode_scalar(openings[at : at + SCALAR_BYTES]),
                    group.decode_scalar(openings[at + SCALAR_BYTES : at + size]),
                )
            )
        return cls(tuple(values), cast("dict[str, str]", texts))

    def check_against(self, attestation: Attestation, schema: Schema) -> None:
        """That this opens every attested commitment, to values that the schema allows.

        Raises:
            BindingError: naming the attribute whose commitment, bounds, member or text differ.
        """
        self.check_values(attestation, schema)
        self.check_commitments(attestation, schema)

    def check_values(self, attestation: Attestation, schema: Schema) -> None:
        """All of `check_against` but the commitments, which take far longer.

        Raises:
            BindingError: naming the attribute whose presence, bounds, member or text differ.
        """
        attestation.check_schema(schema)
        if len(self.values) != len(schema.attributes):
            raise BindingError("witness: another number of attributes than the schema")
        expected_texts = set()
        for attribute, pair, commitment in zip(
            schema.attributes, self.values, attestation.commitments, strict=True
        ):
            if (pair is None) != (commitment is None):
                raise BindingError(f"witness: {attribute.name} is present on one side only")
            if pair is not None:
                self._check_value(attribute, pair[0])
                if _keeps_text(attribute):
                    expected_texts.add(attribute.name)
        if set(self.texts) != expected_texts:
            raise BindingError("witness: texts of exactly the present public attributes")

    def _check_value(self, attribute: Attribute, value: Scalar) -> None:
        # The reasons never say the value.
        if attribute.is_ordered:
            least, greatest = attribute.bounds
            if not least <= scalar_integer(value) <= greatest:
                raise BindingError(f"witness: {attribute.name} is out of its bounds")
        elif attribute.type is AttributeType.ENUM and (
            group.encode_scalar(value) not in _member_scalars(attribute)
        ):
            raise BindingError(f"witness: {attribute.name} is none of its members")
        if _keeps_text(attribute):
            text = self.texts.get(attribute.name)
            if text is None or not _is_hash_of(attribute, text, value):
                raise BindingError(f"witness: {attribute.name} has another text than its hash")

    def check_commitments(self, attestation: Attestation, schema: Schema) -> None:
        """That every attested commitment is the one that this witness makes, byte for byte.

        A point that was made here is in the prime-order subgroup and has one encoding, so equal
        bytes say that the attested one is too: nothing is decoded and no equation is needed.

        Raises:
            BindingError: naming the first attribute whose commitment differs.
        """
        for attribute, pair, commitment in zip(
            schema.attributes, self.values, attestation.commitments, strict=True
        ):
            if pair is None or commitment is None:
                continue
            try:
                same = group.encode_point(pedersen.commit(*pair)) == commitment
            except ValueError:  # 0·G + 0·H is the identity, which commits to nothing
                same = False
            if not same:
                raise BindingError(f"commitment of {attribute.name}: not of the witness")

    def public_texts(self, schema: Schema) -> dict[str, str]:
        """What may be shown: the value of each present public attribute, as a person reads it."""
        shown: dict[str, str] = {}
        for attribute, pair in zip(schema.attributes, self.values, strict=True):
            if pair is None or attribute.attribute_class is not AttributeClass.PUBLIC:
                continue
            if attribute.is_ordered:
                shown[attribute.name] = format_value(attribute, scalar_integer(pair[0]))
            else:
                shown[attribute.name] = self.texts[attribute.name]
        return shown


def scalar_integer(value: Scalar) -> int:
    """The integer of least size that a scalar stands for, negative ones included."""
    number = int.from_bytes(group.encode_scalar(value), "big")
    return number if number <= group.ORDER // 2 else number - group.ORDER


@lru_cache(maxsize=256)
def _member_scalars(attribute: Attribute) -> frozenset[bytes]:
    return frozenset(
        group.encode_scalar(value_scalar(attribute, member)) for member in attribute.members
    )


def _keeps_text(attribute: Attribute) -> bool:
    return attribute.attribute_class is AttributeClass.PUBLIC and not attribute.is_ordered


def _is_hash_of(attribute: Attribute, text: str, value: Scalar) -> bool:
    try:
        return text_scalar(cast(TextKind, str(attribute.type)), text) == value
    except CrossproofError:
        return False
