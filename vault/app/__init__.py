"""What the service does with what it is given: synchronous, and ignorant of gRPC."""
