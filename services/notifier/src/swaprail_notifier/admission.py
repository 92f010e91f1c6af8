"""How many connections there may be: in this process, of one address, of one key."""

from collections import Counter
from ipaddress import ip_address

from websockets.datastructures import Headers

from swaprail.auth import Principal
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.runtime.client_address import counted_as, forwarded_address
from swaprail.setting_types import Network
from swaprail_notifier import metrics
from swaprail_notifier.settings import NotifierSettings


class Seat:
    """One admitted connection."""

    __slots__ = ("_account", "_admission", "_ip", "key")

    def __init__(self, admission: "Admission", ip: str) -> None:
        self._admission = admission
        self._ip: str | None = ip
        self.key = ""
        self._account = ""

    def name_caller(self, caller: Principal) -> None:
        """Count the connection for its key and account; EngineError overloaded if one of them has too many."""
        if caller.key_id:
            self._admission.count(caller)
            self.key, self._account = caller.key_id, caller.account

    def leave(self) -> None:
        """Make room; leaving twice is leaving once."""
        if self._ip is not None:
            self._admission.leave(self._ip, self.key, self._account)
            self._ip = None


class Admission:
    """Counts connections and refuses those beyond the limits."""

    def __init__(self, settings: NotifierSettings) -> None:
        self.closed = False
        self._most = settings.ws_max_connections
        metrics.CONNECTIONS_LIMIT.set(self._most)
        self._most_per_key = settings.ws_max_connections_per_key
        self._most_per_account = settings.ws_max_connections_per_account
        self._most_per_ip = settings.ws_max_connections_per_ip
        self._total = 0
        self._by_key: Counter[str] = Counter()
        self._by_account: Counter[str] = Counter()
        self._by_ip: Counter[str] = Counter()

    def enter(self, ip: str) -> Seat:
        """Return a seat; EngineError overloaded when there is none, unavailable when the service stops."""
        if self.closed:
            raise EngineError(ErrorCode.UNAVAILABLE, "this replica is stopping", **_AGAIN)
        if self._total >= self._most:
            raise _too_many("this replica has as many WebSockets as it takes")
        counted = counted_as(ip)
        if self._by_ip[counted] >= self._most_per_ip and not _is_loopback(ip):
            raise _too_many("this address has as many WebSockets as it may have")
        self._total += 1
        self._by_ip[counted] += 1
        return Seat(self, counted)

    def count(self, caller: Principal) -> None:
        """Count one more connection of a key and of its account; EngineError overloaded if one has too many."""
        if self._by_key[caller.key_id] >= self._most_per_key:
            raise _too_many("this API key has as many WebSockets as it may have")
        if self._by_account[caller.account] >= (caller.limits.sockets or self._most_per_account):
            raise _too_many("this account has as many WebSockets as it may have")
        self._by_key[caller.key_id] += 1
        self._by_account[caller.account] += 1

    def leave(self, ip: str, key_id: str, account: str) -> None:
        """Count one connection less."""
        self._total -= 1
        _less(self._by_ip, ip)
        if key_id:
            _less(self._by_key, key_id)
            _less(self._by_account, account)


def client_ip(peer: str, headers: Headers, proxies: tuple[Network, ...]) -> str:
    """Return the address of the client: the last one that no trusted proxy added."""
    hops = [hop.strip() for value in headers.get_all("X-Forwarded-For") for hop in value.split(",")]
    ip = peer
    while hops and _is_within(ip, proxies):
        ip = forwarded_address(hops.pop())
    return ip


def _is_within(ip: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _is_loopback(ip: str) -> bool:
    try:
        return ip_address(ip).is_loopback
    except ValueError:
        return False


def _less(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]


_AGAIN = {"hint": "Connect again after the seconds in Retry-After."}


def _too_many(detail: str) -> EngineError:
    return EngineError(ErrorCode.OVERLOADED, detail, title="Too many WebSockets", **_AGAIN)
