"""Sealing one document, and what it cannot do without.

Run as `python -m benchmarks.bench_seal`. The document is the sample plant: seven attributes in
two parts, six holders. Beside it stands the sum of the operations that this design cannot avoid:
a commitment for each attribute, one HPKE seal for each share and one for the witness, two
signatures, and AES-GCM over the padded parts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.bench_content import Line, compare, print_lines
from benchmarks.both_sides import make_sites
from proofs import group, pedersen
from proofs.schema import Schema
from vault.client.prepare import read_document
from vault.client.seal import Sealer
from vault.crypto import hpke
from vault.crypto.hpke import HpkeKey
from vault.identity import Identity
from vault.pki import now_utc

DOCUMENTS = 16
SHARES = 9  # the asset part's to six holders, the personal part's to three
PADDED_PART = 4096


def measure() -> list[Line]:
    """Milliseconds a document, and the ratio to the unavoidable operations."""
    pedersen.use_tables()
    samples = resources.files("vault") / "samples"
    schema = Schema.parse(Schema.from_author((samples / "pv-plant.schema.json").read_bytes()))
    document = (samples / "pv-plant.json").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        cn, _ = make_sites(Path(name), [("cn", "custodian", "bank")])
        identity = Identity.load(cn.config.identity_folder("custodian", "bank"))
        sealer = Sealer(identity, identity.sites(), now_utc)

        def seal() -> None:
            for _ in range(DOCUMENTS):
                sealing = sealer.begin(read_document(document, lambda _: schema))
                for _ in sealing.blocks():
                    pass
                sealing.finish()

        return [
            compare(
                "seal a document, seven attributes",
                seal,
                DOCUMENTS,
                "document",
                bare=("commitments, HPKE, signatures, AES-GCM", _unavoidable(schema), DOCUMENTS),
            )
        ]


def _unavoidable(schema: Schema) -> Callable[[], None]:
    key, signer = HpkeKey.generate().public, Ed25519PrivateKey.generate()
    values = [(group.scalar(1234), group.random_scalar()) for _ in schema.attributes]

    def run() -> None:
        for _ in range(DOCUMENTS):
            for value, blinding in values:
                group.encode_point(pedersen.commit(value, blinding))
            for _ in range(SHARES):
                hpke.seal(key, bytes(32), b"info")
            hpke.seal(key, bytes(1000), b"info")
            signer.sign(bytes(1500))
            signer.sign(bytes(3000))
            for _ in range(2):
                AESGCM(os.urandom(32)).encrypt(bytes(12), bytes(PADDED_PART), None)

    return run


if __name__ == "__main__":
    print_lines(measure(), title="Sealing")
