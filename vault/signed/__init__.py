"""Payloads that principals of the vault sign: built, read strictly, and bound by digest."""
