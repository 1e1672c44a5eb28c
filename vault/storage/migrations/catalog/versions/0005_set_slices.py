"""The members of named sets in rows of their own, which an export reads one after another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vault.storage.tables.base import RowId

revision = "0005_set_slices"
down_revision = "0004_manifests"
branch_labels = None
depends_on = None

_SLICE = 256 << 10


def upgrade() -> None:
    """Make the table, and take the files apart, one at a time."""
    op.create_table(
        "set_slices",
        sa.Column("set_id", RowId, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("set_id", "place", name="pk_set_slices"),
        sa.ForeignKeyConstraint(["set_id"], ["named_sets.id"], name="fk_set_slices_set_id"),
    )
    connection = op.get_bind()
    sets = sa.table("named_sets", sa.column("id", RowId), sa.column("exported", sa.LargeBinary))
    slices = sa.table(
        "set_slices",
        sa.column("set_id", RowId),
        sa.column("place", sa.Integer),
        sa.column("data", sa.LargeBinary),
    )
    for row in connection.execute(sa.select(sets.c.id)).scalars().all():
        found = sa.select(sets.c.exported).where(sets.c.id == row)
        envelope, _, members = connection.execute(found).scalar_one().partition(b"\n")
        for place, start in enumerate(range(0, len(members), _SLICE)):
            data = members[start : start + _SLICE]
            connection.execute(sa.insert(slices).values(set_id=row, place=place, data=data))
        connection.execute(sa.update(sets).where(sets.c.id == row).values(exported=envelope))
    op.execute("ALTER TABLE named_sets RENAME COLUMN exported TO envelope")
