"""The vault: the service that stores sealed documents and issues proofs about them."""
