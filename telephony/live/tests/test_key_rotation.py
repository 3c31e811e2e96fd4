"""Calls go on when OpenAI's key is replaced in AWS Secrets Manager, and never wait for it on the event loop."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from pytest_django import Settings

from voiceapp.providers.aws import secrets_manager as aws_secrets
from voiceapp.providers.aws.client import aws_client
from voiceapp.providers.openai.client import openai_api_key

from .conftest import API_KEY, end_of
from .handset import Handset

pytestmark = pytest.mark.asyncio


@pytest.fixture
def secret(product: str, local_aws: str, settings: Settings) -> str:
    """The name of a secret that is looked up in the place of a key in the environment."""
    settings.AWS_ENDPOINT_URL = local_aws
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "testing"
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_SECRET_ID = name = f"key-{secrets.token_hex(8)}"
    return name


async def test_a_call_is_answered_with_the_key_of_the_secret(secret: str, handset: Handset) -> None:
    aws_client("secretsmanager").create_secret(Name=secret, SecretString=API_KEY)
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await handset.hang_up()


async def test_a_call_is_answered_after_the_key_was_replaced(
    secret: str, handset: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_secrets, "COOLDOWN_S", 0.0)
    aws_client("secretsmanager").create_secret(Name=secret, SecretString="sk-that-was-replaced")
    assert await asyncio.to_thread(openai_api_key) == "sk-that-was-replaced"
    aws_client("secretsmanager").put_secret_value(SecretId=secret, SecretString=API_KEY)
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await handset.hang_up()


async def test_without_any_key_the_call_ends_with_the_fallback(secret: str, handset: Handset) -> None:
    await handset.dial()
    await asyncio.wait_for(handset.closed.wait(), 5)
    assert await end_of(handset) == ("failed", "provider_refused")
