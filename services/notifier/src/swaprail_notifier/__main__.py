"""Run the notifier."""

from swaprail.runtime.service import run_service
from swaprail.settings import read_settings
from swaprail_notifier.service import NotifierService
from swaprail_notifier.settings import NotifierSettings


def main() -> None:
    """Serve WebSockets until told to stop."""
    settings = read_settings(NotifierSettings)
    run_service("notifier", settings, lambda: NotifierService(settings))


if __name__ == "__main__":
    main()
