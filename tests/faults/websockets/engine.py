"""The whole engine with two notifiers, each on a port of its own."""

from pathlib import Path

from tests.invariants.writers import watch_writers
from tests.system.engine import Engine

FIRST, SECOND = "notifier", "notifier-2"


class ReplicatedEngine(Engine):
    """notifier_ports is what clients choose from, and names those that are meant to live."""

    def __init__(self, dsn: str, redis_url: str, home: Path, **settings: object) -> None:
        super().__init__(dsn, redis_url, home, **settings)
        self.notifiers = [FIRST, SECOND]
        self.notifier_ports = [self.ports[name] for name in self.notifiers]

    def environment(self, name: str) -> dict[str, str]:
        own = {"NOTIFIER_PORT": str(self.ports[name])} if name in (FIRST, SECOND) else {}
        return super().environment(name) | own

    async def start_both(self) -> None:
        """Start everything."""
        await watch_writers(self.dsn)
        await self.start()
        self.spawn(SECOND)
        await self.ready(SECOND)

    def kill_and_spawn(self, name: str) -> None:
        """SIGKILL, and start again at once."""
        self.kill(name)
        self.spawn(name)

    def leave_one(self) -> None:
        """Kill the second notifier for good."""
        if SECOND in self.notifiers:
            self.kill(SECOND)
            self.notifiers.remove(SECOND)
            self.notifier_ports.remove(self.ports[SECOND])
