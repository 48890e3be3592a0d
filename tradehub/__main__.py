"""``python -m tradehub``: the command line."""

from tradehub.cli import main

main()
