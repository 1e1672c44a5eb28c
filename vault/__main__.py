"""`python -m vault` is `crossvault`, for processes started by others."""

from vault.cli import main

main()
