# `make demo` and `make test` are all a newcomer needs: each sets up .venv first.

VENV := .venv
RUN := $(VENV)/bin/
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(shell command -v $(p) 2>/dev/null)))
UV := $(shell command -v uv 2>/dev/null)
STAMP := $(VENV)/.installed

.PHONY: demo test check setup lock protos

setup: $(STAMP)

protos: $(STAMP)
	$(RUN)python -m grpc_tools.protoc -I protos --python_out=. --pyi_out=. --grpc_python_out=. protos/vault/v1/*.proto
