"""Clients of AWS services, with timeouts and without botocore's own retries.

The caller retries: the outbox, a consumer's next round, the next request.
"""

from __future__ import annotations

from typing import Any

import boto3
from boto3.resources.base import ServiceResource
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from django.conf import settings

from voiceapp.core.kept_texts import KeptText
from voiceapp.core.per_process import per_process
from voiceapp.providers.errors import ProviderError, retry_after_s

CONNECT_TIMEOUT_S = 2
RESPONSE_TIMEOUT_S = 5
# Concurrent requests of one client in a process.
MAX_CONNECTIONS = 20
# What botocore raises by itself and for error responses.
FAULTS = (BotoCoreError, ClientError)
MAX_REASON_LENGTH = 200


class AwsError(ProviderError):
    """`code` is AWS's error code, like ResourceNotFoundException; empty without a response."""

    def __init__(
        self,
        service: str,
        message: str,
        *,
        code: str = "",
        permanent: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(service, message[:MAX_REASON_LENGTH], permanent=permanent, retry_after_s=retry_after_s)
        self.code = code


def aws_client(service: str, *, response_timeout_s: float = RESPONSE_TIMEOUT_S, region: str = "") -> Any:
    """The botocore client of `sqs`, `dynamodb`, `secretsmanager`, `s3`…: shared by all threads of this process.

    Without keys in the settings botocore uses the machine's role. `response_timeout_s` is for long polls, `region` for
    what is in another region.
    """
    return _client(
        service,
        response_timeout_s,
        region or settings.AWS_REGION,
        settings.AWS_ENDPOINT_URL or None,
        settings.AWS_ACCESS_KEY_ID or None,
        settings.AWS_SECRET_ACCESS_KEY or None,
        settings.AWS_SESSION_TOKEN or None,
    )


def aws_resource(service: str, *, region: str = "") -> Any:
    """The same as boto3's resource, for libraries that need one. Make what it holds anew in each thread."""
    return _resource(
        service,
        RESPONSE_TIMEOUT_S,
        region or settings.AWS_REGION,
        settings.AWS_ENDPOINT_URL or None,
        settings.AWS_ACCESS_KEY_ID or None,
        settings.AWS_SECRET_ACCESS_KEY or None,
        settings.AWS_SESSION_TOKEN or None,
    )


def resource_at(service: str, *, region: str, url: str, keys: tuple[str, str], more: Config) -> Any:
    """A resource of another provider that knows requests of AWS, with that provider's access key and secret."""
    return _resource(service, RESPONSE_TIMEOUT_S, region, url, *keys, None, more)


def aws_error(service: str, fault: Exception) -> AwsError:
    """Convert one of FAULTS. All are temporary: the operator can fix what AWS refuses."""
    if isinstance(fault, ClientError):
        code = str(fault.response.get("Error", {}).get("Code", ""))
        return AwsError(service, f"returned {code or 'an error'}", code=code, retry_after_s=_wait_s(fault))
    if is_without_credentials(fault):
        return AwsError(service, "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assign a role")
    return AwsError(service, KeptText("no response (%(why)s)", why=type(fault).__name__))


def _wait_s(fault: ClientError) -> float | None:
    headers = fault.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return retry_after_s(headers.get("retry-after"))


def is_without_credentials(fault: BaseException | None) -> bool:
    return isinstance(fault, (NoCredentialsError, PartialCredentialsError))


# It is not safe to share between threads: `_client` uses it in one at a time.
_session = per_process(boto3.session.Session)


@per_process
def _client(service: str, response_timeout_s: float, region: str, *access: str | None) -> BaseClient:
    return _session().client(service, **_options(service, response_timeout_s, region, *access))


@per_process
def _resource(
    service: str,
    response_timeout_s: float,
    region: str,
    url: str | None,
    key_id: str | None,
    secret: str | None,
    token: str | None,
    more: Config | None = None,
) -> ServiceResource:
    options = _options(service, response_timeout_s, region, url, key_id, secret, token)
    if more is not None:
        options["config"] = options["config"].merge(more)
    return _session().resource(service, **options)


def _options(
    service: str,
    response_timeout_s: float,
    region: str,
    endpoint_url: str | None,
    access_key_id: str | None,
    secret_access_key: str | None,
    session_token: str | None,
) -> dict[str, Any]:
    return {
        "region_name": region,
        "endpoint_url": endpoint_url,
        "aws_access_key_id": access_key_id,
        "aws_secret_access_key": secret_access_key,
        "aws_session_token": session_token,
        "config": Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=response_timeout_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=MAX_CONNECTIONS,
            proxies={},  # none from the environment
            parameter_validation=True,
            # By default botocore signs bucket links with version 2: without expiry, for another region's host.
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path" if endpoint_url else "virtual"} if service == "s3" else None,
        ),
    }
