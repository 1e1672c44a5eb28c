from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AddSetRequest(_message.Message):
    __slots__ = ("envelope", "members")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    members: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, envelope: _Optional[bytes] = ..., members: _Optional[_Iterable[str]] = ...) -> None: ...

class AddSetResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class ListSetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSetsResponse(_message.Message):
    __slots__ = ("sets",)
    SETS_FIELD_NUMBER: _ClassVar[int]
    sets: _containers.RepeatedCompositeFieldContainer[SetVersion]
    def __init__(self, sets: _Optional[_Iterable[_Union[SetVersion, _Mapping]]] = ...) -> None: ...

class SetVersion(_message.Message):
    __slots__ = ("envelope", "authority")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    authority: str
    def __init__(self, envelope: _Optional[bytes] = ..., authority: _Optional[str] = ...) -> None: ...

class GetSetRequest(_message.Message):
    __slots__ = ("name", "digest", "header_only")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    HEADER_ONLY_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: str
    header_only: bool
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ..., header_only: _Optional[bool] = ...) -> None: ...

class GetSetResponse(_message.Message):
    __slots__ = ("envelope", "authority", "members")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    authority: str
    members: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, envelope: _Optional[bytes] = ..., authority: _Optional[str] = ..., members: _Optional[_Iterable[str]] = ...) -> None: ...
