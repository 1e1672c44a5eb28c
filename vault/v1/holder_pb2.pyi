import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from vault.v1 import document_pb2 as _document_pb2
from vault.v1 import release_pb2 as _release_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DepositSharesRequest(_message.Message):
    __slots__ = ("deposits",)
    DEPOSITS_FIELD_NUMBER: _ClassVar[int]
    deposits: _containers.RepeatedCompositeFieldContainer[Deposit]
    def __init__(self, deposits: _Optional[_Iterable[_Union[Deposit, _Mapping]]] = ...) -> None: ...

class Deposit(_message.Message):
    __slots__ = ("attestation", "key_manifest", "shares")
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    KEY_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    attestation: bytes
    key_manifest: bytes
    shares: _containers.RepeatedCompositeFieldContainer[_document_pb2.SealedShare]
    def __init__(self, attestation: _Optional[bytes] = ..., key_manifest: _Optional[bytes] = ..., shares: _Optional[_Iterable[_Union[_document_pb2.SealedShare, _Mapping]]] = ...) -> None: ...

class DepositSharesResponse(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, receipts: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SubmitReleaseRequest(_message.Message):
    __slots__ = ("envelope",)
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    def __init__(self, envelope: _Optional[bytes] = ...) -> None: ...

class SubmitReleaseResponse(_message.Message):
    __slots__ = ("answer",)
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    answer: _release_pb2.HolderAnswer
    def __init__(self, answer: _Optional[_Union[_release_pb2.HolderAnswer, _Mapping]] = ...) -> None: ...

class ReleaseShareRequest(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class ReleaseShareResponse(_message.Message):
    __slots__ = ("answer",)
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    answer: _release_pb2.HolderAnswer
    def __init__(self, answer: _Optional[_Union[_release_pb2.HolderAnswer, _Mapping]] = ...) -> None: ...

class ListPendingReleasesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPendingReleasesResponse(_message.Message):
    __slots__ = ("releases", "next_page_token")
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[PendingRelease]
    next_page_token: str
    def __init__(self, releases: _Optional[_Iterable[_Union[PendingRelease, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PendingRelease(_message.Message):
    __slots__ = ("digest", "envelope", "receive_time", "state")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    envelope: bytes
    receive_time: _timestamp_pb2.Timestamp
    state: _release_pb2.HolderState
    def __init__(self, digest: _Optional[str] = ..., envelope: _Optional[bytes] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[_release_pb2.HolderState, str]] = ...) -> None: ...

class SubmitApprovalRequest(_message.Message):
    __slots__ = ("envelope",)
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    def __init__(self, envelope: _Optional[bytes] = ...) -> None: ...

class SubmitApprovalResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: _release_pb2.HolderState
    def __init__(self, state: _Optional[_Union[_release_pb2.HolderState, str]] = ...) -> None: ...
