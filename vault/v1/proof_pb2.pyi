import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProofRequestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROOF_REQUEST_STATE_UNSPECIFIED: _ClassVar[ProofRequestState]
    PROOF_REQUEST_STATE_PENDING: _ClassVar[ProofRequestState]
    PROOF_REQUEST_STATE_ANSWERED: _ClassVar[ProofRequestState]
    PROOF_REQUEST_STATE_DECLINED: _ClassVar[ProofRequestState]
    PROOF_REQUEST_STATE_DENIED: _ClassVar[ProofRequestState]
    PROOF_REQUEST_STATE_FAILED: _ClassVar[ProofRequestState]
PROOF_REQUEST_STATE_UNSPECIFIED: ProofRequestState
PROOF_REQUEST_STATE_PENDING: ProofRequestState
PROOF_REQUEST_STATE_ANSWERED: ProofRequestState
PROOF_REQUEST_STATE_DECLINED: ProofRequestState
PROOF_REQUEST_STATE_DENIED: ProofRequestState
PROOF_REQUEST_STATE_FAILED: ProofRequestState

class SubmitProofRequestRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: bytes
    def __init__(self, request: _Optional[bytes] = ...) -> None: ...

class SubmitProofRequestResponse(_message.Message):
    __slots__ = ("digest", "state")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    state: ProofRequestState
    def __init__(self, digest: _Optional[str] = ..., state: _Optional[_Union[ProofRequestState, str]] = ...) -> None: ...

class ListProofRequestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProofRequestsResponse(_message.Message):
    __slots__ = ("requests", "next_page_token")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ProofRequest]
    next_page_token: str
    def __init__(self, requests: _Optional[_Iterable[_Union[ProofRequest, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ProofRequest(_message.Message):
    __slots__ = ("digest", "request", "asker", "state", "submit_time", "detail")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ASKER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    digest: str
    request: bytes
    asker: str
    state: ProofRequestState
    submit_time: _timestamp_pb2.Timestamp
    detail: str
    def __init__(self, digest: _Optional[str] = ..., request: _Optional[bytes] = ..., asker: _Optional[str] = ..., state: _Optional[_Union[ProofRequestState, str]] = ..., submit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., detail: _Optional[str] = ...) -> None: ...

class GetProofRequestRequest(_message.Message):
    __slots__ = ("digest", "asker")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ASKER_FIELD_NUMBER: _ClassVar[int]
    digest: str
    asker: str
    def __init__(self, digest: _Optional[str] = ..., asker: _Optional[str] = ...) -> None: ...

class GetProofRequestResponse(_message.Message):
    __slots__ = ("request", "candidates", "sets", "outlooks")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    SETS_FIELD_NUMBER: _ClassVar[int]
    OUTLOOKS_FIELD_NUMBER: _ClassVar[int]
    request: ProofRequest
    candidates: _containers.RepeatedCompositeFieldContainer[DocumentCandidate]
    sets: _containers.RepeatedScalarFieldContainer[bytes]
    outlooks: _containers.RepeatedCompositeFieldContainer[FactOutlook]
    def __init__(self, request: _Optional[_Union[ProofRequest, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[DocumentCandidate, _Mapping]]] = ..., sets: _Optional[_Iterable[bytes]] = ..., outlooks: _Optional[_Iterable[_Union[FactOutlook, _Mapping]]] = ...) -> None: ...

class DocumentCandidate(_message.Message):
    __slots__ = ("document", "version", "attestation", "alias")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    document: str
    version: int
    attestation: bytes
    alias: str
    def __init__(self, document: _Optional[str] = ..., version: _Optional[int] = ..., attestation: _Optional[bytes] = ..., alias: _Optional[str] = ...) -> None: ...

class FactOutlook(_message.Message):
    __slots__ = ("fact", "provable", "detail")
    FACT_FIELD_NUMBER: _ClassVar[int]
    PROVABLE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    fact: str
    provable: bool
    detail: str
    def __init__(self, fact: _Optional[str] = ..., provable: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...

class GrantedList(_message.Message):
    __slots__ = ("attestations", "manifest")
    ATTESTATIONS_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    attestations: _containers.RepeatedScalarFieldContainer[bytes]
    manifest: bytes
    def __init__(self, attestations: _Optional[_Iterable[bytes]] = ..., manifest: _Optional[bytes] = ...) -> None: ...

class CheckProofRequestRequest(_message.Message):
    __slots__ = ("digest", "asker", "list")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ASKER_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    asker: str
    list: GrantedList
    def __init__(self, digest: _Optional[str] = ..., asker: _Optional[str] = ..., list: _Optional[_Union[GrantedList, _Mapping]] = ...) -> None: ...

class CheckProofRequestResponse(_message.Message):
    __slots__ = ("outlooks",)
    OUTLOOKS_FIELD_NUMBER: _ClassVar[int]
    outlooks: _containers.RepeatedCompositeFieldContainer[FactOutlook]
    def __init__(self, outlooks: _Optional[_Iterable[_Union[FactOutlook, _Mapping]]] = ...) -> None: ...

class ApproveProofRequestRequest(_message.Message):
    __slots__ = ("digest", "grant", "legal_basis", "list")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    grant: bytes
    legal_basis: str
    list: GrantedList
    def __init__(self, digest: _Optional[str] = ..., grant: _Optional[bytes] = ..., legal_basis: _Optional[str] = ..., list: _Optional[_Union[GrantedList, _Mapping]] = ...) -> None: ...

class ProofProgress(_message.Message):
    __slots__ = ("done", "total")
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    done: int
    total: int
    def __init__(self, done: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class ApproveProofRequestResponse(_message.Message):
    __slots__ = ("state", "detail", "progress")
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    state: ProofRequestState
    detail: str
    progress: ProofProgress
    def __init__(self, state: _Optional[_Union[ProofRequestState, str]] = ..., detail: _Optional[str] = ..., progress: _Optional[_Union[ProofProgress, _Mapping]] = ...) -> None: ...

class DenyProofRequestRequest(_message.Message):
    __slots__ = ("digest", "detail", "asker")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ASKER_FIELD_NUMBER: _ClassVar[int]
    digest: str
    detail: str
    asker: str
    def __init__(self, digest: _Optional[str] = ..., detail: _Optional[str] = ..., asker: _Optional[str] = ...) -> None: ...

class DenyProofRequestResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: ProofRequestState
    def __init__(self, state: _Optional[_Union[ProofRequestState, str]] = ...) -> None: ...

class FetchBundleRequest(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class FetchBundleResponse(_message.Message):
    __slots__ = ("piece",)
    PIECE_FIELD_NUMBER: _ClassVar[int]
    piece: bytes
    def __init__(self, piece: _Optional[bytes] = ...) -> None: ...

class CreateProofRequest(_message.Message):
    __slots__ = ("request", "grant", "legal_basis", "list")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    request: bytes
    grant: bytes
    legal_basis: str
    list: GrantedList
    def __init__(self, request: _Optional[bytes] = ..., grant: _Optional[bytes] = ..., legal_basis: _Optional[str] = ..., list: _Optional[_Union[GrantedList, _Mapping]] = ...) -> None: ...

class CreateProofResponse(_message.Message):
    __slots__ = ("piece", "progress")
    PIECE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    piece: bytes
    progress: ProofProgress
    def __init__(self, piece: _Optional[bytes] = ..., progress: _Optional[_Union[ProofProgress, _Mapping]] = ...) -> None: ...
