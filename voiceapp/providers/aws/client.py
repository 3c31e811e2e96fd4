"""AWS: one way to a client of any of its services, with time limits and without botocore's own retries.

Whoever calls it decides what is tried again: the outbox, a consumer's next round, the next request.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from django.conf import settings

from voiceapp.core.per_process import per_process
from voiceapp.providers.errors import ProviderError, retry_after_s

CONNECT_WITHIN_S = 2
ANSWER_WITHIN_S = 5
# How many requests of one client may be under way in a process.
MOST_CONNECTIONS = 20
# What botocore raises of its own and for what AWS answered.
FAULTS = (BotoCoreError, ClientError)
LONGEST_REASON = 200


class AwsError(ProviderError):
    """`code` is AWS's own word, like ResourceNotFoundException; empty when nobody answered."""

    def __init__(
        self,
        service: str,
        message: str,
        *,
        code: str = "",
        permanent: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(service, message[:LONGEST_REASON], permanent=permanent, retry_after_s=retry_after_s)
        self.code = code


def aws_client(service: str, *, answer_within_s: float = ANSWER_WITHIN_S, region: str = "") -> Any:
    """The botocore client of `sqs`, `dynamodb`, `secretsmanager`, `s3`…: shared by all threads of this process.

    Without keys in the settings botocore looks for the machine's own role. `answer_within_s` is for long polls,
    `region` for what is elsewhere than the rest.
    """
    return _client(
        service,
        answer_within_s,
        region or settings.AWS_REGION,
        settings.AWS_ENDPOINT_URL or None,
        settings.AWS_ACCESS_KEY_ID or None,
        settings.AWS_SECRET_ACCESS_KEY or None,
        settings.AWS_SESSION_TOKEN or None,
    )


def aws_error(service: str, fault: Exception) -> AwsError:
    """One of FAULTS in our words. All of them may pass: what AWS refuses is the operator's to mend."""
    if isinstance(fault, ClientError):
        code = str(fault.response.get("Error", {}).get("Code", ""))
        return AwsError(service, f"answered {code or 'an error'}", code=code, retry_after_s=_wait_s(fault))
    if is_without_credentials(fault):
        return AwsError(service, "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role")
    return AwsError(service, f"no answer ({type(fault).__name__})")


def _wait_s(fault: ClientError) -> float | None:
    headers = fault.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return retry_after_s(headers.get("retry-after"))


def is_without_credentials(fault: BaseException | None) -> bool:
    return isinstance(fault, (NoCredentialsError, PartialCredentialsError))


# It is not safe to share between threads: `_client` uses it in one at a time.
_session = per_process(boto3.session.Session)


@per_process
def _client(
    service: str,
    answer_within_s: float,
    region: str,
    endpoint_url: str | None,
    access_key_id: str | None,
    secret_access_key: str | None,
    session_token: str | None,
) -> BaseClient:
    return _session().client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        aws_session_token=session_token,
        config=Config(
            connect_timeout=CONNECT_WITHIN_S,
            read_timeout=answer_within_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=MOST_CONNECTIONS,
            proxies={},  # none from the environment
            parameter_validation=True,
            # Else botocore signs links into a bucket the old way, without an end, and for another region's address.
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path" if endpoint_url else "virtual"} if service == "s3" else None,
        ),
    )
