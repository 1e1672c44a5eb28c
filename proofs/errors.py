"""Why something was refused.

Every failure that input can cause is one of these classes, each with a stable `reason` that
machines may compare; anything else that escapes is a bug. A message says what is wrong and,
where there is something to do, what to do; it never holds a secret.
"""

from __future__ import annotations


class CrossproofError(Exception):
    """The base of all expected refusals of this package."""

    reason = "REFUSED"


class EncodingError(CrossproofError):
    """Bytes that are not the one spelling of a value: length, form, range, trailing data."""

    reason = "ENCODING"


class SignatureError(CrossproofError):
    """A signature that does not verify, or an envelope with other than one signature."""

    reason = "SIGNATURE"


class TrustError(CrossproofError):
    """A signer that is not pinned, out of scope, of another role, or outside its validity."""

    reason = "TRUST"


class SchemaError(CrossproofError):
    """A schema that is malformed, or a value that its schema does not admit."""

    reason = "SCHEMA"


class FactError(CrossproofError):
    """A fact that cannot be read, or that its attribute's type or class does not allow."""

    reason = "FACT"


class SetError(CrossproofError):
    """A named set that is missing, expired, older than allowed, of another type or digest."""

    reason = "SET"


class BindingError(CrossproofError):
    """Parts that do not belong together: document, schema, attestation, commitments."""

    reason = "BINDING"


class GrantError(CrossproofError):
    """No consent to exactly this: a missing, expired or differing grant."""

    reason = "GRANT"


class ContextError(CrossproofError):
    """Another audience, nonce or purpose, or a bundle outside its time."""

    reason = "CONTEXT"


class PolicyError(CrossproofError):
    """The verifier did not say what it expects, or what it demands is not proven."""

    reason = "POLICY"


class ProofError(CrossproofError):
    """The proof itself does not verify."""

    reason = "PROOF"


class CannotProveError(CrossproofError):
    """The prover's own side: the statement is false or a value is absent, so no proof exists.

    Kept apart from every error an asker may see: its text tells about the value.
    """

    reason = "CANNOT_PROVE"
