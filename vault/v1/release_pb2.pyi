import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from vault.v1 import document_pb2 as _document_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HolderState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOLDER_STATE_UNSPECIFIED: _ClassVar[HolderState]
    HOLDER_STATE_WAITING: _ClassVar[HolderState]
    HOLDER_STATE_RELEASED: _ClassVar[HolderState]
    HOLDER_STATE_DENIED: _ClassVar[HolderState]
    HOLDER_STATE_UNREACHABLE: _ClassVar[HolderState]
    HOLDER_STATE_REFUSED: _ClassVar[HolderState]
    HOLDER_STATE_EXPIRED: _ClassVar[HolderState]
    HOLDER_STATE_APPROVED: _ClassVar[HolderState]
HOLDER_STATE_UNSPECIFIED: HolderState
HOLDER_STATE_WAITING: HolderState
HOLDER_STATE_RELEASED: HolderState
HOLDER_STATE_DENIED: HolderState
HOLDER_STATE_UNREACHABLE: HolderState
HOLDER_STATE_REFUSED: HolderState
HOLDER_STATE_EXPIRED: HolderState
HOLDER_STATE_APPROVED: HolderState

class CreateReleaseRequest(_message.Message):
    __slots__ = ("envelope",)
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    def __init__(self, envelope: _Optional[bytes] = ...) -> None: ...

class CreateReleaseResponse(_message.Message):
    __slots__ = ("digest", "holders")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    digest: str
    holders: _containers.RepeatedCompositeFieldContainer[HolderAnswer]
    def __init__(self, digest: _Optional[str] = ..., holders: _Optional[_Iterable[_Union[HolderAnswer, _Mapping]]] = ...) -> None: ...

class HolderAnswer(_message.Message):
    __slots__ = ("holder", "state", "detail", "sealed_share", "index")
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SEALED_SHARE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    holder: str
    state: HolderState
    detail: str
    sealed_share: bytes
    index: int
    def __init__(self, holder: _Optional[str] = ..., state: _Optional[_Union[HolderState, str]] = ..., detail: _Optional[str] = ..., sealed_share: _Optional[bytes] = ..., index: _Optional[int] = ...) -> None: ...

class ListReleasesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReleasesResponse(_message.Message):
    __slots__ = ("releases", "next_page_token")
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[Release]
    next_page_token: str
    def __init__(self, releases: _Optional[_Iterable[_Union[Release, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("digest", "envelope", "create_time", "quorum_released")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    QUORUM_RELEASED_FIELD_NUMBER: _ClassVar[int]
    digest: str
    envelope: bytes
    create_time: _timestamp_pb2.Timestamp
    quorum_released: bool
    def __init__(self, digest: _Optional[str] = ..., envelope: _Optional[bytes] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quorum_released: _Optional[bool] = ...) -> None: ...

class CollectSharesRequest(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class CollectSharesResponse(_message.Message):
    __slots__ = ("holders", "key_manifest", "attestation", "schema", "root", "personal_salt", "quorum_released")
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    KEY_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_SALT_FIELD_NUMBER: _ClassVar[int]
    QUORUM_RELEASED_FIELD_NUMBER: _ClassVar[int]
    holders: _containers.RepeatedCompositeFieldContainer[HolderAnswer]
    key_manifest: bytes
    attestation: bytes
    schema: bytes
    root: bytes
    personal_salt: bytes
    quorum_released: bool
    def __init__(self, holders: _Optional[_Iterable[_Union[HolderAnswer, _Mapping]]] = ..., key_manifest: _Optional[bytes] = ..., attestation: _Optional[bytes] = ..., schema: _Optional[bytes] = ..., root: _Optional[bytes] = ..., personal_salt: _Optional[bytes] = ..., quorum_released: _Optional[bool] = ...) -> None: ...

class ReadBlocksRequest(_message.Message):
    __slots__ = ("release", "cids")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    CIDS_FIELD_NUMBER: _ClassVar[int]
    release: str
    cids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, release: _Optional[str] = ..., cids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ReadBlocksResponse(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: _document_pb2.Block
    def __init__(self, block: _Optional[_Union[_document_pb2.Block, _Mapping]] = ...) -> None: ...
