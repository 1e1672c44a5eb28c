import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegisterManifestRequest(_message.Message):
    __slots__ = ("envelope", "rows")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    rows: _containers.RepeatedCompositeFieldContainer[ListedVersion]
    def __init__(self, envelope: _Optional[bytes] = ..., rows: _Optional[_Iterable[_Union[ListedVersion, _Mapping]]] = ...) -> None: ...

class ListedVersion(_message.Message):
    __slots__ = ("document", "version")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    version: int
    def __init__(self, document: _Optional[bytes] = ..., version: _Optional[int] = ...) -> None: ...

class RegisterManifestResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class ListManifestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListManifestsResponse(_message.Message):
    __slots__ = ("manifests", "next_page_token")
    MANIFESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    manifests: _containers.RepeatedCompositeFieldContainer[RegisteredManifest]
    next_page_token: str
    def __init__(self, manifests: _Optional[_Iterable[_Union[RegisteredManifest, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RegisteredManifest(_message.Message):
    __slots__ = ("envelope", "custodian", "register_time", "newest")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    CUSTODIAN_FIELD_NUMBER: _ClassVar[int]
    REGISTER_TIME_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    custodian: str
    register_time: _timestamp_pb2.Timestamp
    newest: bool
    def __init__(self, envelope: _Optional[bytes] = ..., custodian: _Optional[str] = ..., register_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., newest: _Optional[bool] = ...) -> None: ...
