"""The processes: mutual TLS, roles, errors and bounds around the servicers."""
