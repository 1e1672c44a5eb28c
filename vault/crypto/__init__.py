"""Encryption of documents and sealing of their keys: bytes in, bytes out, no I/O."""
