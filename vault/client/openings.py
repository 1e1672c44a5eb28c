"""Whether a decrypted part is what its custodian attested: every commitment, recomputed.

Nobody but the custodian could check this before: the vault and the holders only ever saw
ciphertext. A custodian that stored another value than it committed to, left an attribute out or
added one is found here. The text of a value must be the one spelling of it, and the record must
name its own document and version and describe exactly the files that the part holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proofs import group, pedersen
from proofs.errors import CrossproofError
from proofs.schema import Attribute, AttributeClass
from proofs.values import Value, format_value, read_value, value_scalar
from vault.client.evidence import Evidence
from vault.crypto.content import FileInfo
from vault.document_record import AttributeEntry, DocumentRecord
from vault.errors import IntegrityError
from vault.model import ASSET, Part


@dataclass(frozen=True, slots=True)
class OpenedAttribute:
    """One attribute of the part. `text` as it was stored; `problem` is empty when it agrees."""

    attribute: Attribute
    text: str | None = field(repr=False)
    problem: str = ""

    @property
    def agrees(self) -> bool:
        """Whether value and blinding open the attested commitment."""
        return not self.problem


class AttestationMismatchError(IntegrityError):
    """The part decrypts and is not what its custodian attested. `problems` name no value."""

    reason = "NOT_AS_ATTESTED"

    def __init__(self, custodian: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"what {custodian} stored is not what it attested: " + "; ".join(self.problems)
        )


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """The record of a part with the judgement on each attribute, in the schema's order.

    `attributes` are those that are present, `absent` the names of those attested as absent,
    `problems` whatever does not agree, in words that repeat no value.
    """

    record: DocumentRecord
    attributes: tuple[OpenedAttribute, ...]
    absent: tuple[str, ...]
    problems: tuple[str, ...]

    def require_agreement(self, evidence: Evidence) -> None:
        """AttestationMismatchError unless all of it is as attested."""
        if self.problems:
            raise AttestationMismatchError(evidence.custodian.uri, self.problems)


def check_record(evidence: Evidence, data: bytes) -> OpenedRecord:
    """Read the attribute record of a part and compare it with the attestation.

    Raises AttestationMismatchError when it is no record, or that of another document: then there
    is nothing to show. Every other difference is a problem in the result.
    """
    request = evidence.request
    try:
        record = DocumentRecord.parse(data)
    except CrossproofError as error:
        raise AttestationMismatchError(
            evidence.custodian.uri, [f"its attribute record cannot be read ({error})"]
        ) from error
    if (record.document, record.version) != (request.document, request.version):
        raise AttestationMismatchError(
            evidence.custodian.uri, ["its attribute record is of another document or version"]
        )
    entries = {entry.name: entry for entry in record.attributes}
    opened: list[OpenedAttribute] = []
    absent: list[str] = []
    problems: list[str] = []
    for attribute, commitment in zip(
        evidence.schema.attributes, evidence.attestation.commitments, strict=True
    ):
        if _part_of(attribute) != request.part:
            continue
        entry = entries.pop(attribute.name, None)
        if commitment is None and entry is None:
            absent.append(attribute.name)
            continue
        problem = _problem(attribute, commitment, entry)
        if problem:
            problems.append(f"{attribute.name}: {problem}")
        opened.append(OpenedAttribute(attribute, entry.value if entry else None, problem))
    problems += [f"{name[:64]}: not an attribute of this part" for name in entries]
    return OpenedRecord(record, tuple(opened), tuple(absent), tuple(problems))


def check_files(evidence: Evidence, record: DocumentRecord, files: Sequence[FileInfo]) -> None:
    """That the record describes exactly the files of the part.

    Raises AttestationMismatchError: they are sealed one by one, each with its own description.
    """
    listed = [(entry.name, entry.media_type, entry.length) for entry in record.attachments]
    if listed != [(info.name, info.media_type, info.length) for info in files]:
        raise AttestationMismatchError(
            evidence.custodian.uri, ["its attachments are not those that its record lists"]
        )


def _problem(attribute: Attribute, commitment: bytes | None, entry: AttributeEntry | None) -> str:
    if entry is None:
        return "attested and not stored"
    if commitment is None:
        return "stored and attested as absent"
    try:
        value = read_text(attribute, entry.value)
        blinding = group.decode_scalar(entry.blinding)
    except (CrossproofError, IntegrityError):
        # Its text could quote the value.
        return "stored in a form that its schema does not admit"
    found = pedersen.commit(value_scalar(attribute, value), blinding)
    if group.encode_point(found) != commitment:
        return "the stored value does not open the attested commitment"
    return ""


def read_text(attribute: Attribute, text: str) -> Value:
    """The value of a text that `format_value` wrote; SchemaError or IntegrityError otherwise."""
    bare = text.removesuffix(f" {attribute.unit}") if attribute.unit else text
    value = read_value(attribute, bare)
    if format_value(attribute, value) != text:
        raise IntegrityError("a value in another spelling than its own")
    return value


def _part_of(attribute: Attribute) -> Part:
    return "personal" if attribute.attribute_class is AttributeClass.PERSONAL else ASSET
