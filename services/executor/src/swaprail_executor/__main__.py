"""Run the executor."""

from swaprail.runtime.service import run_service
from swaprail_executor.app import Executor
from swaprail_executor.settings import ExecutorSettings


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = ExecutorSettings()
    run_service("executor", settings, lambda: Executor(settings))


if __name__ == "__main__":
    main()
