"""Run the executor."""

from swaprail.runtime.service import run_service
from swaprail.settings import read_settings
from swaprail_executor.app import Executor
from swaprail_executor.settings import ExecutorSettings


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = read_settings(ExecutorSettings)
    run_service("executor", settings, lambda: Executor(settings))


if __name__ == "__main__":
    main()
