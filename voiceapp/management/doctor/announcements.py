"""Checks of AWS for voice sessions: the queue, the table of records, OpenAI's key."""

from __future__ import annotations

from django.conf import settings

from voiceapp.providers.aws.client import FAULTS, AwsError, aws_client, aws_error
from voiceapp.providers.aws.dynamodb import AwsTable
from voiceapp.providers.openai.errors import OpenAIError
from voiceapp.providers.openai.key import openai_api_key, secret_id

from .finding import Finding, failed, passed, skipped

KEYS = "AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role"


def check_announcements() -> Finding:
    """The queue of announced voice sessions."""
    url = settings.VOICE_SESSION_QUEUE_URL
    if not url:
        return skipped("announcements", "VOICE_SESSION_QUEUE_URL is not set: they wait in the outbox")
    wanted = "ApproximateNumberOfMessages"
    try:
        attributes = aws_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])["Attributes"]
    except FAULTS as exc:
        fix = f"Check VOICE_SESSION_QUEUE_URL and {KEYS}."
        return failed("announcements", f"{url}: {aws_error('sqs', exc)}", fix)
    return passed("announcements", f"{url} responds; {attributes[wanted]} messages in it")


def check_records() -> Finding:
    """The table in which the consumer stores announced sessions."""
    name = settings.VOICE_SESSION_TABLE
    if not name:
        return skipped("records", "VOICE_SESSION_TABLE is not set: the consumer prints them")
    try:
        expires = AwsTable(name, key="sessionId", ttl="ttl").expires_items()
    except AwsError as exc:
        return failed("records", f"table {name}: {exc}", f"Run manage.py consume_sessions --make-table. Check {KEYS}.")
    if not expires:
        return failed("records", f"table {name} has no TTL", "Enable its TTL on the attribute ttl.")
    return passed("records", f"table {name} exists and expires by ttl")


def check_secret() -> Finding:
    """OpenAI's key in Secrets Manager, if the environment has none."""
    if settings.OPENAI_API_KEY:
        return skipped("secret", "OPENAI_API_KEY is set: Secrets Manager is not used")
    try:
        openai_api_key()
    except OpenAIError as exc:
        return failed("secret", str(exc), f"Set OPENAI_API_KEY, or create the secret {secret_id()} and check {KEYS}.")
    return passed("secret", f"{secret_id()} has OpenAI's key")
