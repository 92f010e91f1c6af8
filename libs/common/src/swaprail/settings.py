"""Settings that every service reads, from the environment and .env."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from swaprail.domain.orders import LONGEST_WAIT_S
from swaprail.hosts import host_and_port
from swaprail.server_urls import postgres_url, usable_postgres_url, usable_redis_url, with_options
from swaprail.setting_numbers import check_bounds, check_digits
from swaprail.setting_types import AuthoritiesFile, Collector, Host, Hosts, LogLevel, SignerSeed
from swaprail.usable_urls import AuthoritiesMissingError, check_postgres, check_redis


class AppEnv(StrEnum):
    """development warns and uses defaults; production refuses to start with a setting missing."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SslMode(StrEnum):
    """How a connection to PostgreSQL is encrypted, in the words of libpq."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


# Modes in which no certificate is looked at: a root certificate would promise a check that nobody makes.
_UNVERIFIED = {SslMode.DISABLE, SslMode.ALLOW, SslMode.PREFER}


class MissingSettingsError(SystemExit):
    """Production lacks settings; the message names every one (of those joined by "or" one is enough)."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"APP_ENV=production needs these settings: {', '.join(names)}")
        self.names = names


class Settings(BaseSettings):
    """Settings shared by all services. A subclass adds its own and names what production requires."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    app_env: AppEnv = Field(AppEnv.DEVELOPMENT, description="development or production")
    host: Host = Field("127.0.0.1", description="address that servers listen on")
    ops_port: int = Field(
        0, ge=0, le=65535, description="port of /metrics and /health of this service; 0 picks a free one"
    )

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL, in place of DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD"
    )
    db_host: Hosts = Field("127.0.0.1", description="PostgreSQL host")
    db_port: int = Field(5432, ge=1, le=65535, description="PostgreSQL port")
    db_name: str = Field("swaprail", description="PostgreSQL database")
    db_user: str = Field("postgres", description="PostgreSQL user")
    db_password: SecretStr = Field(SecretStr(""), description="PostgreSQL password")
    db_sslmode: SslMode = Field(
        SslMode.PREFER, description="TLS to PostgreSQL: disable, allow, prefer, require, verify-ca or verify-full"
    )
    db_sslrootcert: AuthoritiesFile | None = Field(
        None, description="file of the certificates that PostgreSQL's is checked against (PEM)"
    )
    db_pool_size: int = Field(
        3, ge=1, le=64, description="connections of one process; few, so that commits carry many rows"
    )
    db_timeout_s: float = Field(2.0, gt=0, le=30, description="longest wait for a connection or a statement")

    db_connection_lifetime_s: float = Field(
        300.0, ge=1, description="how long a connection is kept: its address may come to mean another server"
    )

    redis_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey, in place of REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_USERNAME, REDIS_PASSWORD "
        "and REDIS_TLS (rediss://)",
    )
    redis_host: Host = Field("127.0.0.1", description="Redis host")
    redis_port: int = Field(6379, ge=1, le=65535, description="Redis port")
    redis_db: int = Field(0, ge=0, description="number of the Redis database")
    redis_username: str = Field("", description="Redis user; empty: the default one")
    redis_password: SecretStr = Field(SecretStr(""), description="Redis password")
    redis_tls: bool = Field(False, description="TLS to Redis; its certificate is checked")
    redis_ca_file: AuthoritiesFile | None = Field(
        None, description="file of the certificates that Redis' is checked against (PEM); default: the system's"
    )
    redis_timeout_s: float = Field(2.0, gt=0, description="longest wait for an answer of Redis")
    stream_max_entries: int = Field(2_000, ge=100, description="entries that a topic keeps, approximately")

    log_level: LogLevel = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: str = Field("json", pattern="^(json|text)$", description="json, or text for a person")
    otlp_endpoint: Collector = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="OTLP/HTTP collector; empty: traces are off",
    )
    trace_sample_ratio: float = Field(0.01, ge=0, le=1, description="share of orders that are traced")

    worker_name: str = Field("", description="this process among its replicas; default: host name and process id")
    lease_s: float = Field(
        5.0, gt=0, le=LONGEST_WAIT_S, description="how long a worker holds an order without renewing"
    )
    reconcile_interval_s: float = Field(1.0, gt=0, description="how often due and orphaned orders are looked for")
    drain_timeout_s: float = Field(15.0, gt=0, description="how long a stopping service may finish its work")
    order_deadline_s: float = Field(120.0, gt=0, description="time to find a route, for orders without expiresAt")
    order_longest_life_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="how far away an account's expiresAt may be, and how long an order that waits without one is kept",
    )
    tokens_file: Path | None = Field(None, description="token list (JSON); default: the one shipped")

    mock_dex_quote_delay_ms: float = Field(200, ge=0, description="paper venues: time to quote")
    mock_dex_execution_delay_ms: float = Field(2500, ge=0, description="paper chain: time from sending to landing")
    mock_dex_failure_rate: float = Field(0.05, ge=0, le=1, description="paper chain: share of swaps that revert")
    mock_dex_drop_rate: float = Field(
        0, ge=0, le=1, description="paper chain: share of transactions that never land; their orders are tried again"
    )
    paper_blockhash_blocks: int = Field(
        150, ge=1, description="paper chain: blocks of 0.4 s in which a signed swap may land"
    )
    paper_finality_slots: int = Field(32, ge=0, description="paper chain: blocks of 0.4 s after which one is final")
    paper_seed: int = Field(1, description="paper venues and chain: same seed, same prices and failures")
    paper_signer_seed: SignerSeed = Field(
        SecretStr(""),
        description="paper chain: key that signs, 64 hex digits; default: derived from PAPER_SEED, and known to everybody",
    )

    @property
    def database_setting(self) -> tuple[str, SecretStr | None]:
        """The setting that says where PostgreSQL is, and the URL that it holds, if any."""
        return "DATABASE_URL" if self.database_url else "DB_HOST", self.database_url

    @property
    def dsn(self) -> str:
        """The PostgreSQL URL, password and TLS included: never log it."""
        composed = postgres_url(self.db_host, self.db_port, _login(self.db_user, self.db_password), self.db_name)
        _, given = self.database_setting
        url = given.get_secret_value() if given else composed
        mode = None if self.db_sslmode is SslMode.PREFER else self.db_sslmode
        return with_options(usable_postgres_url(url), sslmode=mode, sslrootcert=self.db_sslrootcert)

    @property
    def redis_dsn(self) -> str:
        """The Redis URL, password and TLS included: never log it."""
        scheme = "rediss" if self.redis_tls else "redis"
        login = _login(self.redis_username, self.redis_password)
        address = host_and_port(self.redis_host, self.redis_port)
        composed = f"{scheme}://{login}{'@' if login else ''}{address}/{self.redis_db}"
        url = self.redis_url.get_secret_value() if self.redis_url else composed
        return with_options(usable_redis_url(url), ssl_ca_certs=self.redis_ca_file)

    def required_in_production(self) -> list[tuple[str, ...]]:
        """Names of the environment variables that production must set; of each tuple, one suffices."""
        return [("DATABASE_URL", "DB_HOST"), ("REDIS_URL", "REDIS_HOST")]

    @field_validator("*", mode="before")
    @classmethod
    def _digits(cls, value: object, info: ValidationInfo) -> object:
        return check_digits(cls.model_fields[info.field_name or ""].annotation, value)

    @field_validator("*", mode="after")
    @classmethod
    def _bounds(cls, value: object, info: ValidationInfo) -> object:
        return check_bounds(info.field_name or "", value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _check(self.database_setting[0], lambda: self.dsn)
        _check("REDIS_URL" if self.redis_url else "REDIS_HOST", lambda: self.redis_dsn)
        self._check_certificates()
        self._check_clients()
        if self.app_env is AppEnv.PRODUCTION:
            given = {name.upper() for name in self.model_fields_set}
            missing = [" or ".join(names) for names in self.required_in_production() if not given & set(names)]
            if missing:
                raise MissingSettingsError(missing)
        return self

    def _check_certificates(self) -> None:
        mode = parse_qs(urlsplit(self.dsn).query).get("sslmode", [SslMode.PREFER])[-1]
        if self.db_sslrootcert and mode in _UNVERIFIED:
            raise ValueError(f"DB_SSLROOTCERT is not looked at with DB_SSLMODE={mode}: choose require or verify-full")
        if self.redis_ca_file and urlsplit(self.redis_dsn).scheme != "rediss":
            raise ValueError("REDIS_CA_FILE is not looked at without TLS: set REDIS_TLS, or a REDIS_URL of rediss://")

    def _check_clients(self) -> None:
        """Refuse what the clients of PostgreSQL and Redis would stumble over again and again."""
        name, url = self.database_setting
        try:
            _check(name, lambda: check_postgres(self.dsn))
        except AuthoritiesMissingError as error:
            raise ValueError(f"{name if url else 'DB_SSLMODE'}: {error}: DB_SSLROOTCERT") from None
        _check("REDIS_URL", lambda: check_redis(self.redis_dsn))


def _login(user: str, password: SecretStr) -> str:
    secret = password.get_secret_value()
    return quote(user, safe="") + (f":{quote(secret, safe='')}" if secret else "")


def _check(name: str, check: Callable[[], object]) -> None:
    try:
        check()
    except AuthoritiesMissingError:
        raise
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def refusals(error: ValidationError) -> list[str]:
    """Return what is wrong, setting by setting: its name as the environment has it, and never its value."""
    told = [
        (".".join(map(str, found["loc"])).upper(), found["msg"].removeprefix("Value error, "))
        for found in error.errors(include_input=False)
        if found["type"] != "default_factory_not_called"  # it waits for those that are told
    ]
    # What concerns several settings has no place, and names them itself.
    return [f"{name}: {words}" if name else words for name, words in told]


def read_settings[Kind: Settings](kind: type[Kind]) -> Kind:
    """Return the settings of this process, or exit with one line for each that is refused."""
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit("\n".join(refusals(error))) from None
