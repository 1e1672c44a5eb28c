"""The vectors of a dishonest prover about one document; made as those of `generate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from support import bundles as world
from support.bundles import DAY, NOW, Parts, context_for, parts

from proofs.grant import GrantedDocument
from proofs.named_set import NamedSet


def few(**changes: object) -> Parts:
    return parts(world.SMALL_FACTS, **changes)


def timed(**changes: object) -> Parts:
    found = few()
    return replace(found, context=context_for(found.request, **changes))


def granted(*changes: tuple[str, object]) -> Parts:
    return few(grant_changes=changes)


def asking(*facts: str, **changes: object) -> Parts:
    asked = world.request(world.SMALL_FACTS, facts=facts, **changes)
    return world.answering(few(), asked)


def listed(found: NamedSet) -> Parts:
    facts = ("owner not in @sanctions",)
    asked = world.request(facts, sets=[found.reference])
    return world.answering(parts(facts), asked, sets=(found,))


def other_context(**changes: object) -> Parts:
    found = few()
    return replace(found, context=replace(found.context, **changes))  # type: ignore[arg-type]


# Name, attack, a dishonest prover's bundle, the class of its refusal.
FORGED: list[tuple[str, str, Callable[[], bytes], str]] = [
    (
        "signer-unknown",
        "everything signed by a key that nobody pinned",
        lambda: few(attestation_signer=world.STRANGER, grant_signer=world.STRANGER).forge(),
        "TrustError",
    ),
    (
        "signer-authority",
        "an attestation by a key that is pinned for sets",
        lambda: few(attestation_signer=world.AUTHORITY, grant_signer=world.AUTHORITY).forge(),
        "TrustError",
    ),
    (
        "attestation-expired",
        "facts of a document version that is no longer attested",
        lambda: few(attestation=world.attestation(valid_until=NOW)).forge(),
        "BindingError",
    ),
    (
        "attestation-future",
        "an attestation of tomorrow",
        lambda: few(attestation=world.attestation(attested_at=NOW + DAY)).forge(),
        "BindingError",
    ),
    (
        "attestation-other-asset",
        "a document of another asset in the place of the one that was asked about",
        lambda: few(attestation=world.attestation(asset="cn-pv-0043")).forge(),
        "GrantError",
    ),
    (
        "attestation-absent",
        "an attribute left out that the schema requires",
        lambda: few(
            attestation=world.attestation(commitments=(None, *world.witness().commitments()[1:]))
        ).forge(),
        "BindingError",
    ),
    (
        "schema-other",
        "the same numbers under another unit",
        lambda: few().forge(
            schema_bytes=world.schema().encode().replace(b'"unit":"MW"', b'"unit":"kW"')
        ),
        "BindingError",
    ),
    (
        "grant-other-signer",
        "a consent signed by a stranger",
        lambda: few(grant_signer=world.STRANGER).forge(),
        "GrantError",
    ),
    (
        "grant-expired",
        "a consent that is over",
        lambda: granted(("expires", NOW), ("bundle_expires", NOW)).forge(),
        "GrantError",
    ),
    (
        "grant-other-request",
        "the consent to another request",
        lambda: granted(("request", "00" * 32)).forge(),
        "GrantError",
    ),
    (
        "grant-other-attestation",
        "the consent to another document version",
        lambda: granted(
            (
                "documents",
                [GrantedDocument("doc", few().attested.document, 2, "00" * 32)],
            )
        ).forge(),
        "GrantError",
    ),
    (
        "grant-other-sets",
        "the consent to other sets",
        lambda: granted(("sets", [world.named_set().reference])).forge(),
        "GrantError",
    ),
    (
        "grant-other-facts",
        "one consent used for other facts",
        lambda: few().forge(facts=("annual_yield >= 0.05",)),
        "GrantError",
    ),
    (
        "grant-other-audience",
        "one consent used for another audience",
        lambda: other_context(audience="Somebody Else").forge(),
        "GrantError",
    ),
    (
        "grant-other-purpose",
        "one consent used for another purpose",
        lambda: other_context(purpose="Marketing").forge(),
        "GrantError",
    ),
    (
        "bundle-early",
        "a bundle whose time has not come",
        lambda: timed(not_before=NOW + DAY).forge(),
        "ContextError",
    ),
    (
        "bundle-expired",
        "an old bundle",
        lambda: timed(expires=NOW).forge(),
        "ContextError",
    ),
    (
        "bundle-outlives-grant",
        "a bundle that lives longer than the custodian consented to",
        lambda: timed(expires=NOW + 21 * DAY).forge(),
        "ContextError",
    ),
    (
        "bundle-outlives-attestation",
        "a bundle that lives longer than its attestation",
        lambda: few(attestation=world.attestation(valid_until=NOW + 14 * DAY)).forge(),
        "ContextError",
    ),
    (
        "set-other-authority",
        "a list of one's own under the authority's name",
        lambda: listed(world.named_set("sanctions", signer=world.STRANGER)).forge(),
        "SetError",
    ),
    (
        "set-older",
        "a list without the newest name",
        lambda: listed(world.named_set("sanctions", version=2, extra=("Since Removed",))).forge(),
        "SetError",
    ),
    (
        "fact-other-spelling",
        "a fact that is not in canonical form",
        lambda: asking("annual_yield >= 8.00%").forge(),
        "FactError",
    ),
    (
        "fact-opening",
        "the value of an attribute that may not be shown",
        lambda: asking("annual_yield = 0.0912").forge(),
        "FactError",
    ),
    (
        "fact-opening-in-disguise",
        "two ranges that leave one value",
        lambda: asking("annual_yield <= 0.0912", "annual_yield >= 0.0912").forge(),
        "FactError",
    ),
    (
        "fact-other-sets",
        "a set listed that no fact is about",
        lambda: asking("annual_yield >= 0.08", sets=[world.named_set().reference]).forge(),
        "BindingError",
    ),
    (
        "transcript-other-context",
        "a proof whose transcript held another expiry",
        lambda: few().forge(
            alter=lambda c: replace(c, context=replace(c.context, expires=NOW + DAY))
        ),
        "ProofError",
    ),
    (
        "transcript-shown-value-only",
        "the expiry moved of a bundle that only shows a value",
        lambda: parts(("province = Guangdong",)).forge(
            alter=lambda c: replace(c, context=replace(c.context, expires=NOW + DAY))
        ),
        "ProofError",
    ),
    (
        "transcript-other-attestation",
        "a proof whose transcript held another attestation",
        lambda: few().forge(alter=lambda c: world.on_document(c, attestation="00" * 32)),
        "ProofError",
    ),
    (
        "transcript-no-facts",
        "a proof whose transcript held no fact texts",
        lambda: few().forge(alter=lambda c: replace(c, facts=())),
        "ProofError",
    ),
]
