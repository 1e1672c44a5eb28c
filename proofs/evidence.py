"""What a bundle about a selection rests on: every attestation, or one manifest.

Attestations stand in the order of their document ids, all signed by one key, so that a payload and
a signature are all that each takes; a manifest stands with its packed rows. It reads and writes,
bounded, and believes nothing.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from dataclasses import dataclass

from proofs import canonical
from proofs.canonical import Fields, Json
from proofs.envelope import MAX_PAYLOAD, Envelope, PayloadType
from proofs.errors import EncodingError
from proofs.manifest import ROWS_LIMIT, ManifestFile
from proofs.selection import MAX_LISTED, Period, Selection, read_period, write_period

CHOOSERS = frozenset({"manifest", "prover", "request"})


@dataclass(frozen=True, slots=True)
class BundleSelection:
    """The selection of a bundle: what the request said of it, and the evidence, of one kind.

    The assets that a request named are those of the documents, and stand there only.
    """

    chosen_by: str
    spv: str | None
    period: Period | None
    attestations: tuple[Envelope, ...]
    manifest: ManifestFile | None

    @classmethod
    def of(
        cls,
        selection: Selection,
        *,
        attestations: tuple[Envelope, ...] = (),
        manifest: ManifestFile | None = None,
    ) -> BundleSelection:
        """The selection of a bundle that answers this one."""
        return cls(selection.chosen_by, selection.spv, selection.period, attestations, manifest)

    @property
    def keyid(self) -> str:
        """The key id that signed the evidence."""
        if self.manifest is not None:
            return self.manifest.envelope.keyid
        return self.attestations[0].keyid

    def asked(self, schema: str, assets: tuple[str, ...]) -> Selection:
        """What the request said: rebuilt, for the grant names the request by its digest only."""
        named = assets if self.chosen_by == "request" else None
        return Selection(schema=schema, assets=named, spv=self.spv, period=self.period)

    def to_json(self) -> dict[str, Json]:
        """The object that stands in a bundle."""
        encoded: dict[str, Json] = {"chosen_by": self.chosen_by}
        if self.spv is not None and self.period is not None:
            encoded["spv"] = self.spv
            encoded["period"] = write_period(self.period)
        if self.manifest is not None:
            encoded["manifest"] = self.manifest.envelope.to_json()
            encoded["rows"] = canonical.encode_base64(self.manifest.rows)
            return encoded
        encoded["keyid"] = self.keyid
        encoded["attested"] = [
            {
                "payload": canonical.encode_base64(each.unverified_payload),
                "sig": canonical.encode_base64(each.signature),
            }
            for each in self.attestations
        ]
        return encoded

    @classmethod
    def read(cls, fields: Fields) -> BundleSelection:
        """Read and close an object of these fields; EncodingError or SignatureError."""
        chosen_by = fields.choice("chosen_by", CHOOSERS)
        spv = fields.optional_text("spv", 500)
        period = read_period(fields.object("period")) if fields.has("period") else None
        if (spv is not None, period is not None) != (chosen_by == "manifest",) * 2:
            raise EncodingError(f"{fields.where}: an SPV and a period stand with a manifest only")
        attestations: tuple[Envelope, ...] = ()
        manifest = None
        if fields.has("manifest"):
            manifest = ManifestFile(
                Envelope.from_json(fields.raw("manifest"), f"{fields.where}.manifest"),
                fields.base64("rows", ROWS_LIMIT),
            )
        else:
            keyid = fields.hex("keyid", 32)
            attestations = tuple(
                _read_attested(each, keyid)
                for each in fields.objects("attested", MAX_LISTED, least=1)
            )
        fields.end()
        return cls(chosen_by, spv, period, attestations, manifest)


def _read_attested(fields: Fields, keyid: str) -> Envelope:
    payload, signature = fields.base64("payload", MAX_PAYLOAD), fields.base64("sig", 64)
    fields.end()
    if len(signature) != 64:
        raise EncodingError(f"{fields.where}.sig: an Ed25519 signature has 64 bytes")
    return Envelope(PayloadType.ATTESTATION, keyid, signature, payload)
