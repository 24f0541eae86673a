"""`python -m herald`."""

from herald.cli.app import main

main()
