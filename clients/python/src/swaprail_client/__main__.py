"""The command `swaprail`."""

import sys

from swaprail_client.cli.app import run


def main() -> None:
    """Run the command line of this process and exit with the command's code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
