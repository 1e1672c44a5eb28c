"""The tables of the two databases: a vault's catalogue and a holder's shares.

Each module adds its tables to the `MetaData` of its database, and all of them are imported here,
so that it is whole. The migrations make the same tables; a test compares both. Nothing here is
particular to SQLite.
"""

from typing import Final, Literal

from sqlalchemy import MetaData

from vault.storage.tables import (
    base,
    documents,
    holder_releases,
    holder_shares,
    manifests,
    proofs,
    records,
    releases,
)

__all__ = [
    "METADATA",
    "Tree",
    "base",
    "documents",
    "holder_releases",
    "holder_shares",
    "manifests",
    "proofs",
    "records",
    "releases",
]

Tree = Literal["catalog", "holder"]

METADATA: Final[dict[Tree, MetaData]] = {"catalog": base.catalog, "holder": base.holder}
