"""The command swaprail-local."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from swaprail_local.check_settings import SettingsRefusedError, check_settings
from swaprail_local.options import RunOptions
from swaprail_local.prepare_database import DatabaseUnavailableError
from swaprail_local.run import CannotListenError, Run
from swaprail_local.servers.process import ServerFailedError
from swaprail_local.supervision.child import ChildFailedError
from swaprail_local.supervision.data_lock import DataInUseError
from swaprail_local.supervision.output import Output

EXPECTED = (
    SettingsRefusedError,
    CannotListenError,
    DataInUseError,
    DatabaseUnavailableError,
    ServerFailedError,
    ChildFailedError,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the engine on this machine."""
    options = _parse(arguments)
    output = Output()
    try:
        asyncio.run(_run(options, output))
    except* EXPECTED as errors:
        for error in _leaves(errors):
            output.say(str(error))
        sys.exit(1)


async def _run(options: RunOptions, output: Output) -> None:
    await Run(check_settings(), options, output).until_stopped()


def _parse(arguments: Sequence[str] | None) -> RunOptions:
    parser = argparse.ArgumentParser(prog="swaprail-local", description="The whole engine on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start servers and services, stop them with Ctrl-C")
    run.add_argument("--separate", action="store_true", help="API and notifier as processes of their own")
    run.add_argument("--reload", action="store_true", help="start the services anew when the source changes")
    run.add_argument("--status-file", type=Path, help="where to write what runs where (default: in the data directory)")
    given = parser.parse_args(arguments)
    return RunOptions(separate=given.separate, reload=given.reload, status_file=given.status_file)


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


if __name__ == "__main__":
    main()
