"""What `crossvault` uses on the caller's side of the wire."""
