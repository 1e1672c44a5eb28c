"""Offline: prove and verify facts about attested documents. Imports nothing of the service."""
