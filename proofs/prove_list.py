"""Making a bundle about a selection: the whole list proven about, in parts, in one file.

It checks that what it was given belongs together, as `prove` does; the parts are proven here or by
an executor's processes. It refuses facts that may not be asked over this list, and false ones or
ones about absent attributes with CannotProveError, whose text is for the custodian alone.

SPEC.md, "Bundle".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import Final

from proofs.arguments import proof_lengths
from proofs.attestation import Attestation
from proofs.bundle import PROOF_LIMIT, write_bundle
from proofs.claims import ListClaims
from proofs.context import Context
from proofs.envelope import Envelope
from proofs.errors import BindingError, ContextError, EncodingError, GrantError
from proofs.evidence import BundleSelection
from proofs.facts import FactList
from proofs.grant import Grant
from proofs.group import Scalar
from proofs.list_classes import check_list_facts
from proofs.list_statement import bound_commitments_of, compile_list
from proofs.listing import Listing
from proofs.manifest import Manifest, ManifestFile
from proofs.named_set import NamedSet
from proofs.parts import PartTask, prove_part, tasks
from proofs.prove import check_sets
from proofs.request import Request
from proofs.schema import Schema
from proofs.subjects import SLOTS
from proofs.witness import Witness

Progress = Callable[[int, int], None]
"""Called with the parts that are done, and all of them."""

_FEW: Final = 8
"""Terms that are proven here if they are all: a tenth of a second, without tables."""
AT_ONCE: Final = 64
"""Parts that an executor has at a time of one bundle. With all of them, another bundle's would wait
for the last one, for hours perhaps; and a cluster would hold the named sets once for each."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """What proving takes of one document of a selection, as `ProvenDocument` of a named one."""

    attestation_envelope: bytes
    witness: Witness


def prove_selection(
    *,
    request: bytes,
    context: Context,
    schema: Schema,
    documents: Sequence[ListedDocument],
    grant_envelope: bytes,
    sets: Mapping[str, NamedSet],
    manifest: bytes | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> bytes:
    """The bytes of a bundle that answers exactly this request about a selection.

    Args:
        request: the request's exact bytes, which the grant names.
        context: built from the request, with the bundle's own not-before and expiry.
        documents: all that were granted, in the order of their document ids.
        sets: at least the named sets of the request, by name.
        manifest: the bytes of a manifest file, to stand in the bundle in place of attestations.
        executor: proves parts; without one, and where a few sums are all there is, they are
            proven here.

    Raises:
        CannotProveError: a fact is false or about an absent attribute.
        FactError: a fact that cannot be read or may not be asked.
        BindingError, GrantError, ContextError, SetError, EncodingError: parts that do not belong
            together, naming which.
    """
    asked = Request.parse(request)
    selection = asked.selection
    if selection is None:
        raise BindingError("the request is about documents by name")
    envelopes = [Envelope.parse(each.attestation_envelope) for each in documents]
    attestations = [Attestation.parse(each.unverified_payload) for each in envelopes]
    grant_signed = Envelope.parse(grant_envelope)
    grant = Grant.parse(grant_signed.unverified_payload)
    whole = Listing.of(attestations, schema)
    if [each.document for each in attestations] != [each.document for each in whole.rows]:
        raise BindingError("the documents are not in the order of their ids")
    carried = None if manifest is None else ManifestFile.parse(manifest)
    listing, stated = _listing(whole, carried, schema)
    _check_parts(asked, context, whole, grant, stated)

    facts = FactList.over_canonical(asked.facts, schema)
    used = check_sets(asked, facts.set_names, sets)
    check_list_facts(facts, schema, used, listing)
    digests = {each.name: each.digest for each in asked.sets}
    statement = compile_list(facts, schema, listing, digests)
    bound = bound_commitments_of(listing, statement.slots)
    claims = ListClaims(
        context=context,
        schema=schema.digest,
        listing=listing.digest,
        count=len(listing.rows),
        signer=envelopes[0].keyid,
        manifest=None if stated is None else stated.digest,
        grant=grant.digest,
        grant_signer=grant_signed.keyid,
        sets=asked.sets,
        facts=asked.facts,
        statement=statement.encode(),
        commitments=bound,
    )
    openings = {slot: _opened(documents, slot) for slot, _ in bound}
    scalars = {name: each.scalars for name, each in used.items()}
    lengths = (sum(proof_lengths(part, scalars)) for part in statement.parts)
    if (length := sum(lengths)) > PROOF_LIMIT:
        # Found out before hours of work, not behind them.
        raise EncodingError(
            f"the proof would have {length} bytes, at most {PROOF_LIMIT} are allowed: ask for less "
            f"of these {len(listing.rows)} documents"
        )
    todo = tasks(claims.seed(), statement, dict(bound), openings, scalars)
    return write_bundle(
        context=context,
        schemas=[schema.encode()],
        selection=BundleSelection.of(
            selection,
            attestations=tuple(envelopes) if carried is None else (),
            manifest=carried,
        ),
        grant=grant_signed,
        facts=asked.facts,
        sets=asked.sets,
        proof=b"".join(_prove(todo, executor, progress or _silent)),
    )


def _listing(
    whole: Listing, carried: ManifestFile | None, schema: Schema
) -> tuple[Listing, Manifest | None]:
    """The rows that the bundle will carry: the manifest's, if there is one."""
    if carried is None:
        return whole, None
    manifest = Manifest.parse(carried.envelope.unverified_payload)
    listing = manifest.listing(carried.rows, schema)
    if listing.digest != whole.digest:
        raise BindingError("the manifest is of another list than the documents'")
    for row, full in zip(listing.rows, whole.rows, strict=True):
        columns = tuple(full.commitments[place] for place in listing.columns)
        if (row.document, row.version, row.asset, row.commitments) != (
            full.document,
            full.version,
            full.asset,
            columns,
        ):
            raise BindingError(f"the manifest says something else of document {row.document}")
    return listing, manifest


def _check_parts(
    asked: Request, context: Context, listing: Listing, grant: Grant, manifest: Manifest | None
) -> None:
    selection, granted = asked.selection, grant.selection
    if selection is None or grant.request != asked.digest:
        raise GrantError("the grant is for another request")
    if granted is None or (granted.count, granted.attestations) != (
        len(listing.rows),
        listing.digest,
    ):
        raise GrantError("the grant is for another list of documents")
    if granted.manifest != (None if manifest is None else manifest.digest):
        raise GrantError("the grant is for another manifest, or for none")
    if listing.schema != selection.schema:
        raise BindingError("the request asks about another schema than the documents'")
    if selection.assets is not None and selection.assets != listing.assets:
        raise BindingError("the request asks about other assets than the documents'")
    if selection.spv is not None and (
        manifest is None or (manifest.spv, manifest.period) != (selection.spv, selection.period)
    ):
        raise BindingError("the request asks for a manifest of another SPV or period")
    if grant.sets != asked.sets:
        raise GrantError("the grant names other sets than the request")
    if context != Context.answering(asked, not_before=context.not_before, expires=context.expires):
        raise ContextError("the context is not the request's")
    if context.not_before < grant.not_before or context.expires > grant.bundle_expires:
        raise ContextError("the bundle's time is not within the grant's")
    if context.expires > listing.valid_until:
        raise ContextError("the bundle would outlive an attestation")


def _opened(documents: Sequence[ListedDocument], slot: int) -> tuple[Scalar, Scalar]:
    pair = documents[slot // SLOTS].witness.values[slot % SLOTS]
    if pair is None:
        raise BindingError("a witness lacks an attested attribute")
    return pair


def _prove(todo: Sequence[PartTask], executor: Executor | None, progress: Progress) -> list[bytes]:
    progress(0, len(todo))
    # A few sums take less than it takes to start a process, and their values go nowhere.
    few = len(todo) == 1 and len(todo[0].statement.terms) <= _FEW
    if executor is None or few:
        return list(_prove_here(todo, progress))
    proofs = [b""] * len(todo)
    waiting = iter(enumerate(todo))
    futures: dict[Future[bytes], int] = {}
    done = 0
    try:
        while True:
            for index, task in islice(waiting, AT_ONCE - len(futures)):
                futures[executor.submit(prove_part, task)] = index
            if not futures:
                return proofs
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                proofs[futures.pop(future)] = future.result()
                done += 1
                progress(done, len(todo))
    finally:
        # What was not begun when one part fails is never needed.
        for future in futures:
            future.cancel()


def _prove_here(todo: Sequence[PartTask], progress: Progress) -> Iterator[bytes]:
    for done, task in enumerate(todo, 1):
        yield prove_part(task)
        progress(done, len(todo))


def _silent(done: int, total: int) -> None:
    """Nobody asked how far it is."""
