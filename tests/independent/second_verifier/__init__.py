"""A second verifier of bundles, written from `proofs/SPEC.md` alone; slow and plain.

It shares no code with the first: curve arithmetic is py_ecc's, the rest the standard library's
and Ed25519. `procedure.verify` is the door.
"""
