"""The tables of the two databases: a vault's catalogue and a holder's shares.

Each module adds its tables to the `MetaData` of its database; the migrations create them, and a
test compares both. Nothing here is particular to SQLite.
"""
