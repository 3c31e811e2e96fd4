"""Checks of what AWS does for voice sessions: the queue, the table of records, OpenAI's key."""

from __future__ import annotations

from django.conf import settings

from voiceapp.providers.aws.client import FAULTS, AwsError, aws_client, aws_error
from voiceapp.providers.aws.dynamodb import AwsTable
from voiceapp.providers.openai.errors import OpenAIError
from voiceapp.providers.openai.key import openai_api_key, secret_id

from .finding import Finding, ill, skipped, well

KEYS = "AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role"


def check_announcements() -> Finding:
    """The queue that voice sessions are announced on."""
    url = settings.VOICE_SESSION_QUEUE_URL
    if not url:
        return skipped("announcements", "VOICE_SESSION_QUEUE_URL is not set: they wait in the outbox")
    wanted = "ApproximateNumberOfMessages"
    try:
        told = aws_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"]
    except FAULTS as exc:
        fix = f"Check VOICE_SESSION_QUEUE_URL and {KEYS}."
        return ill("announcements", f"{url}: {aws_error('sqs', exc)}", fix)
    return well("announcements", f"{url} answers; {told[wanted]} lie there")


def check_records() -> Finding:
    """The table in which the consumer keeps what was announced."""
    name = settings.VOICE_SESSION_TABLE
    if not name:
        return skipped("records", "VOICE_SESSION_TABLE is not set: the consumer prints them")
    try:
        expires = AwsTable(name, key="sessionId", ttl="ttl").expires_items()
    except AwsError as exc:
        return ill("records", f"table {name}: {exc}", f"Run manage.py consume_sessions --make-table. Check {KEYS}.")
    if not expires:
        return ill("records", f"table {name} expires nothing", "Enable its TTL on the attribute ttl.")
    return well("records", f"table {name} is there and expires by ttl")


def check_secret() -> Finding:
    """OpenAI's key in Secrets Manager, where the environment has none."""
    if settings.OPENAI_API_KEY:
        return skipped("secret", "OPENAI_API_KEY is set: Secrets Manager is not asked")
    try:
        openai_api_key()
    except OpenAIError as exc:
        return ill("secret", str(exc), f"Set OPENAI_API_KEY, or make the secret {secret_id()} and check {KEYS}.")
    return well("secret", f"{secret_id()} holds OpenAI's key")
