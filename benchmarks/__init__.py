"""Benchmarks: each measures and prints; nothing here asserts."""
