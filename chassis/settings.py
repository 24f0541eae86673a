"""Settings from the environment, frozen; what is required has no default."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from limits import parse
from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.authorities import https_context
from chassis.redis_url import parse_redis_url


class SettingsError(ValueError):
    """What a setting names cannot be used, such as a file with a fault. Its text is for operators."""


def faults(error: ValidationError) -> list[str]:
    """A sentence for each variable that is missing or wrong, without its value, which may be a secret."""
    return [
        "".join(f"HERALD_{str(field).upper()}: " for field in one["loc"][:1]) + one["msg"].removeprefix("Value error, ")
        for one in error.errors(include_input=False, include_url=False)
    ]


class KafkaSettings(BaseSettings):
    """What everything that speaks to Kafka needs. Variables are `HERALD_<FIELD>` unless a field says otherwise."""

    model_config = SettingsConfigDict(env_prefix="HERALD_", frozen=True, extra="ignore")

    namespace: str = Field(
        "", pattern=r"^[a-z0-9-]{0,40}$", description="Prefix of topics, groups, databases and Redis keys"
    )

    ca_file: FilePath | None = Field(
        None, description="Authorities, as PEM, that the issuer's certificate may be of, beside the public ones"
    )

    kafka_bootstrap: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: FilePath | None = Field(None, description="Authorities, as PEM, that sign the brokers' certificates")
    kafka_cert_file: FilePath | None = Field(None, description="This client's certificate, as PEM, for mutual TLS")
    kafka_key_file: FilePath | None = Field(None, description="The private key of that certificate, as PEM")
    kafka_oauth_url: str | None = Field(None, description="Token endpoint for OAUTHBEARER (client credentials)")
    kafka_oauth_client_id: str | None = None
    kafka_oauth_client_secret: SecretStr | None = None
    kafka_oauth_scope: str | None = None
    kafka_timeout: float = Field(10.0, gt=0, description="Seconds that any single wait on Kafka may take")

    kafka_max_poll: float = Field(
        300.0, gt=0, description="Seconds a batch may take before Kafka gives its partitions to another member"
    )

    @field_validator("ca_file")
    @classmethod
    def _authorities(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                https_context(value)
            except (OSError, ValueError) as error:
                raise ValueError(f"{value} has no certificates: {error}") from None
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kafka_cert_file is None) != (self.kafka_key_file is None):
            raise ValueError("HERALD_KAFKA_CERT_FILE and HERALD_KAFKA_KEY_FILE go together")
        if self.kafka_cert_file is not None and not self.kafka_security_protocol.endswith("SSL"):
            raise ValueError("HERALD_KAFKA_CERT_FILE needs HERALD_KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL")
        if self.kafka_security_protocol.endswith("SSL"):
            self._kafka_tls()
        if self.kafka_security_protocol.startswith("SASL"):
            needed = (
                ("oauth_url", "oauth_client_id", "oauth_client_secret") if self._by_token else ("username", "password")
            )
            for name in needed:
                if getattr(self, f"kafka_{name}") is None:
                    raise ValueError(f"HERALD_KAFKA_{name.upper()} is needed for {self.kafka_sasl_mechanism}")
        return self

    @property
    def _by_token(self) -> bool:
        return self.kafka_sasl_mechanism == "OAUTHBEARER"

    def topic(self, name: str) -> str:
        """The topic on this installation's Kafka."""
        return f"{self.namespace}.{name}" if self.namespace else name

    def group(self, name: str) -> str:
        """The consumer group on this installation's Kafka."""
        return f"{self.namespace}.{name}" if self.namespace else name

    def database(self, service: str) -> str:
        """The MongoDB database of a service."""
        return f"{self.namespace}_herald_{service}" if self.namespace else f"herald_{service}"

    def kafka_options(self) -> dict[str, Any]:
        """What every aiokafka client of this installation is given."""
        options: dict[str, Any] = {"bootstrap_servers": self.kafka_bootstrap.split(",")}
        if self.kafka_security_protocol != "PLAINTEXT":
            options["security_protocol"] = self.kafka_security_protocol
        if self.kafka_security_protocol.endswith("SSL"):
            options["ssl_context"] = self._kafka_tls()
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            if self._by_token:
                from chassis.kafka.tokens import ClientCredentials

                assert self.kafka_oauth_url is not None
                assert self.kafka_oauth_client_id is not None
                assert self.kafka_oauth_client_secret is not None
                options["sasl_oauth_token_provider"] = ClientCredentials(
                    self.kafka_oauth_url,
                    self.kafka_oauth_client_id,
                    self.kafka_oauth_client_secret.get_secret_value(),
                    self.kafka_oauth_scope,
                    authorities=self.ca_file,
                )
                return options
            options["sasl_plain_username"] = self.kafka_username
            options["sasl_plain_password"] = self.kafka_password.get_secret_value() if self.kafka_password else None
        return options

    def _kafka_tls(self) -> ssl.SSLContext:
        """Raises SettingsError for a file that is none of what it should be."""
        try:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
        except (OSError, ValueError) as error:
            raise SettingsError(f"HERALD_KAFKA_CA_FILE: {self.kafka_ca_file}: {error}") from None
        if self.kafka_cert_file is not None:
            try:
                context.load_cert_chain(self.kafka_cert_file, self.kafka_key_file)
            except (OSError, ValueError) as error:
                raise SettingsError(
                    f"HERALD_KAFKA_CERT_FILE: {self.kafka_cert_file} with {self.kafka_key_file}: {error}"
                ) from None
        return context


def _rate(text: str) -> str:
    parse(text)
    return text


Rate = Annotated[str, AfterValidator(_rate)]
"""So many in a span of time: `5/second`, `30/minute`."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How much and how long a client may take; sizes in bytes, times in seconds."""

    header_bytes: int
    header_seconds: float
    body_gap_seconds: float
    body_seconds: float
    read_seconds: float


class HttpSettings(BaseSettings):
    """What everything that listens needs."""

    model_config = SettingsConfigDict(env_prefix="HERALD_", frozen=True, extra="ignore")

    http_header_bytes: int = Field(32 * 1024, gt=0, description="Bytes of a request's headers")
    http_header_seconds: float = Field(10.0, gt=0, description="Seconds until a request's headers are whole")
    http_body_gap_seconds: float = Field(10.0, gt=0, description="Seconds between two parts of a request's body")
    http_body_seconds: float = Field(120.0, gt=0, description="Seconds until a request's body is whole")
    http_read_seconds: float = Field(60.0, gt=0, description="Seconds that a client may leave an answer unread")

    @property
    def http_limits(self) -> HttpLimits:
        return HttpLimits(
            self.http_header_bytes,
            self.http_header_seconds,
            self.http_body_gap_seconds,
            self.http_body_seconds,
            self.http_read_seconds,
        )


class StoreSettings(KafkaSettings):
    """What everything that speaks to Kafka and MongoDB needs."""

    mongo_url: str
    mongo_ca_file: FilePath | None = Field(None, description="Authorities, as PEM, for MongoDB over TLS (`tls=true`)")

    def mongo_options(self) -> dict[str, Any]:
        """What every MongoDB client of this installation is given beside the address."""
        return {"tlsCAFile": str(self.mongo_ca_file)} if self.mongo_ca_file else {}


class Settings(StoreSettings, HttpSettings):
    """What each service needs."""

    redis_url: str = Field(
        description="`redis://` or `rediss://` (TLS); by Sentinel `redis+sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/0`"
    )
    redis_ca_file: FilePath | None = Field(None, description="Authorities, as PEM, for Redis over TLS")

    public_url: str = Field(description="The one address that people use, without a trailing slash")
    issuer: str = Field(description="OIDC issuer whose tokens are accepted, letter by letter as it calls itself")
    audience: str = Field("herald", description="What tokens must be for (`aud`)")
    account_claim: str = Field(
        "sub", description="Claim of access tokens that tells one account from another and never changes"
    )
    jwks_url: str | None = Field(None, description="Where the issuer's keys are; discovered when not set")

    trusted_proxies: str = Field(
        "127.0.0.1/32,::1/128",
        description="Addresses or networks, comma between, whose X-Forwarded-* and traceparent are believed: of what "
        "stands in front of this process, and of the hub",
    )
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)

    messages: Path | None = Field(
        None, description="Directory of catalogues of further languages, `<language>.po` each; see `herald languages`"
    )

    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    otlp_logs: bool = Field(False, description="Send the log to the endpoint as well")
    spans_file: Path | None = Field(None, description="Bounded local file for spans when no endpoint is set")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="Share of new traces that are recorded")

    fetch_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts or networks, comma between, that fetches may reach although they are private"
    )
    fetch_proxy: str | None = Field(None, description="HTTP proxy that outgoing fetches go through")
    grace: float = Field(15.0, gt=0, description="Seconds between SIGTERM and the end")
    rate_general: Rate = Field("200/second", description="Requests of one person or machine client to each process")
    deadletter_rate: float = Field(
        20.0, gt=0, description="Dead letters a second and process; above it, the partitions concerned are paused"
    )
    deadletter_burst: int = Field(500, ge=1, description="Dead letters at once, before the rate applies")
    wait_seconds: float = Field(
        3.0, ge=0, description="Seconds a request waits for events that it names in Herald-After, or follows from"
    )
    max_concurrency: int = Field(256, gt=0, description="Requests in flight a process before it answers 503")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        parse_redis_url(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for one in filter(None, (part.strip() for part in value.split(","))):
            ip_network(one)
        return value

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("fetch_allow", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    def redis_key(self, *parts: str) -> str:
        """A key in Redis that no other installation uses."""
        return ":".join((self.namespace or "herald", *parts))
