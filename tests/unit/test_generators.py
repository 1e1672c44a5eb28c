"""Fixed generators: distinct, derived from their names alone, in the subgroup, bound as a list."""

from __future__ import annotations

from proofs import generators, group
from proofs.generators import G, H, K


def test_every_generator_is_the_hash_of_its_name() -> None:
    """Anyone can derive them again from the tag and the name."""
    tag = b"crossproof/generator/BLS12381G1_XMD:SHA-256_SSWU_RO_/v1"
    for generator in generators.range_generators(16) + generators.membership_generators(4):
        expected = group.hash_to_point(tag, generator.name.encode())
        assert generator.point == expected


def test_they_are_distinct_and_in_the_subgroup() -> None:
    """No two names share a point, and none has torsion."""
    used = {*generators.range_generators(32), *generators.membership_generators(6)}
    encodings = [generator.encode() for generator in used]
    assert len(set(encodings)) == len(used) == 1 + 8 + 32 + 1 + 5 + 5
    assert len(group.decode_statement_points(encodings)) == len(used)


def test_names_and_order() -> None:
    """H is H_0, and lists have the order of their equations."""
    names = [generator.name for generator in generators.range_generators(2)]
    assert names == ["G", "H", *(f"H_{i}" for i in range(1, 8)), "G_0", "G_1"]
    names = [generator.name for generator in generators.membership_generators(3)]
    assert names == ["G", "H", "K", "U_1", "U_2", "S_0", "S_1"]
    assert repr(K) == "Generator('K')"


def test_one_object_for_each_name() -> None:
    """A longer list begins with the same objects, so merged equations meet."""
    assert generators.norm_bases(8)[:4] == generators.norm_bases(4)
    assert generators.linear_bases()[0] is H


def test_digest_depends_on_names_and_order() -> None:
    """Another list, or another order, has another digest."""
    assert generators.generators_digest((G, H)) != generators.generators_digest((H, G))
    assert generators.generators_digest((G, H)) != generators.generators_digest((G, H, K))
    assert len(generators.generators_digest((G, H))) == 32


def test_multiply_fixed() -> None:
    """The product over named generators is the plain sum."""
    a, b = group.random_scalar(), group.random_scalar()
    assert generators.multiply_fixed((G, K), (a, b)) == G.point * a + K.point * b
