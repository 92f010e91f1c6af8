"""Run the router."""

from swaprail.runtime.service import run_service
from swaprail.settings import read_settings
from swaprail_router.app import Router
from swaprail_router.settings import RouterSettings


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = read_settings(RouterSettings)
    run_service("router", settings, lambda: Router(settings))


if __name__ == "__main__":
    main()
