import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Part(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PART_UNSPECIFIED: _ClassVar[Part]
    PART_ASSET: _ClassVar[Part]
    PART_PERSONAL: _ClassVar[Part]
PART_UNSPECIFIED: Part
PART_ASSET: Part
PART_PERSONAL: Part

class Block(_message.Message):
    __slots__ = ("cid", "data", "part")
    CID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    cid: bytes
    data: bytes
    part: Part
    def __init__(self, cid: _Optional[bytes] = ..., data: _Optional[bytes] = ..., part: _Optional[_Union[Part, str]] = ...) -> None: ...

class PutDocumentsRequest(_message.Message):
    __slots__ = ("header", "blocks", "document")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    header: PutHeader
    blocks: BlockBatch
    document: SealedDocument
    def __init__(self, header: _Optional[_Union[PutHeader, _Mapping]] = ..., blocks: _Optional[_Union[BlockBatch, _Mapping]] = ..., document: _Optional[_Union[SealedDocument, _Mapping]] = ...) -> None: ...

class PutHeader(_message.Message):
    __slots__ = ("documents",)
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    documents: int
    def __init__(self, documents: _Optional[int] = ...) -> None: ...

class BlockBatch(_message.Message):
    __slots__ = ("blocks",)
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    blocks: _containers.RepeatedCompositeFieldContainer[Block]
    def __init__(self, blocks: _Optional[_Iterable[_Union[Block, _Mapping]]] = ...) -> None: ...

class SealedDocument(_message.Message):
    __slots__ = ("request_id", "attestation", "key_manifest", "sealed_witness", "shares", "asset_root", "personal_root", "personal_salt")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    KEY_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    SEALED_WITNESS_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    ASSET_ROOT_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ROOT_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_SALT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    attestation: bytes
    key_manifest: bytes
    sealed_witness: bytes
    shares: _containers.RepeatedCompositeFieldContainer[SealedShare]
    asset_root: bytes
    personal_root: bytes
    personal_salt: bytes
    def __init__(self, request_id: _Optional[str] = ..., attestation: _Optional[bytes] = ..., key_manifest: _Optional[bytes] = ..., sealed_witness: _Optional[bytes] = ..., shares: _Optional[_Iterable[_Union[SealedShare, _Mapping]]] = ..., asset_root: _Optional[bytes] = ..., personal_root: _Optional[bytes] = ..., personal_salt: _Optional[bytes] = ...) -> None: ...

class SealedShare(_message.Message):
    __slots__ = ("holder", "part", "index", "sealed")
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    holder: str
    part: Part
    index: int
    sealed: bytes
    def __init__(self, holder: _Optional[str] = ..., part: _Optional[_Union[Part, str]] = ..., index: _Optional[int] = ..., sealed: _Optional[bytes] = ...) -> None: ...

class PutDocumentsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PutResult]
    def __init__(self, results: _Optional[_Iterable[_Union[PutResult, _Mapping]]] = ...) -> None: ...

class PutResult(_message.Message):
    __slots__ = ("request_id", "document", "version", "attestation_digest", "receipts", "commit_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    COMMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    document: str
    version: int
    attestation_digest: bytes
    receipts: _containers.RepeatedScalarFieldContainer[bytes]
    commit_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., document: _Optional[str] = ..., version: _Optional[int] = ..., attestation_digest: _Optional[bytes] = ..., receipts: _Optional[_Iterable[bytes]] = ..., commit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetPutRequest(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class GetPutResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: PutResult
    def __init__(self, result: _Optional[_Union[PutResult, _Mapping]] = ...) -> None: ...

class ListDocumentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "asset")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    asset: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., asset: _Optional[str] = ...) -> None: ...

class ListDocumentsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[DocumentVersion]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[DocumentVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DocumentVersion(_message.Message):
    __slots__ = ("document", "version", "asset", "schema_digest", "attestation", "public_attributes", "provable", "bundles_issued", "commit_time")
    class PublicAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    PROVABLE_FIELD_NUMBER: _ClassVar[int]
    BUNDLES_ISSUED_FIELD_NUMBER: _ClassVar[int]
    COMMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    document: str
    version: int
    asset: str
    schema_digest: str
    attestation: bytes
    public_attributes: _containers.ScalarMap[str, str]
    provable: _containers.RepeatedScalarFieldContainer[str]
    bundles_issued: int
    commit_time: _timestamp_pb2.Timestamp
    def __init__(self, document: _Optional[str] = ..., version: _Optional[int] = ..., asset: _Optional[str] = ..., schema_digest: _Optional[str] = ..., attestation: _Optional[bytes] = ..., public_attributes: _Optional[_Mapping[str, str]] = ..., provable: _Optional[_Iterable[str]] = ..., bundles_issued: _Optional[int] = ..., commit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: str
    def __init__(self, document: _Optional[str] = ...) -> None: ...

class GetDocumentResponse(_message.Message):
    __slots__ = ("versions", "key_manifest")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    KEY_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[DocumentVersion]
    key_manifest: bytes
    def __init__(self, versions: _Optional[_Iterable[_Union[DocumentVersion, _Mapping]]] = ..., key_manifest: _Optional[bytes] = ...) -> None: ...

class ListAttestationsRequest(_message.Message):
    __slots__ = ("schema", "opened")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    schema: str
    opened: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, schema: _Optional[str] = ..., opened: _Optional[_Iterable[str]] = ...) -> None: ...

class ListAttestationsResponse(_message.Message):
    __slots__ = ("documents",)
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[AttestedDocument]
    def __init__(self, documents: _Optional[_Iterable[_Union[AttestedDocument, _Mapping]]] = ...) -> None: ...

class AttestedDocument(_message.Message):
    __slots__ = ("attestation", "opened")
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    attestation: bytes
    opened: _containers.RepeatedCompositeFieldContainer[OpenedAttribute]
    def __init__(self, attestation: _Optional[bytes] = ..., opened: _Optional[_Iterable[_Union[OpenedAttribute, _Mapping]]] = ...) -> None: ...

class OpenedAttribute(_message.Message):
    __slots__ = ("name", "value", "blinding")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    BLINDING_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    blinding: bytes
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., blinding: _Optional[bytes] = ...) -> None: ...

class AddSchemaRequest(_message.Message):
    __slots__ = ("schema",)
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    schema: bytes
    def __init__(self, schema: _Optional[bytes] = ...) -> None: ...

class AddSchemaResponse(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class ListSchemasRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSchemasResponse(_message.Message):
    __slots__ = ("schemas",)
    SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    schemas: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, schemas: _Optional[_Iterable[bytes]] = ...) -> None: ...

class CheckCommittedRequest(_message.Message):
    __slots__ = ("attestation_digests",)
    ATTESTATION_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    attestation_digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, attestation_digests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class CheckCommittedResponse(_message.Message):
    __slots__ = ("committed",)
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    committed: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, committed: _Optional[_Iterable[bytes]] = ...) -> None: ...
