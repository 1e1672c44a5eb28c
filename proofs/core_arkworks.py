"""The usual core: `Point` and `Scalar` are the types of `py_arkworks_bls12381` themselves.

Nothing is wrapped, so nothing is slower. What this library lets through and `group` refuses
(integers that it would reduce, junk behind an infinity flag, lists of different lengths) is
checked there, once for every core. The methods that `group` and the arguments use are those that
`core_py_ecc` spells out.
"""

from py_arkworks_bls12381 import G1Point as Point
from py_arkworks_bls12381 import Scalar

NAME = "arkworks"
LIBRARY = "py_arkworks_bls12381"

__all__ = ["LIBRARY", "NAME", "Point", "Scalar"]
