"""Where the catalogue, the records and the ciphertext blocks are kept."""
