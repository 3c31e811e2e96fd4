"""Google Cloud Storage by its S3-compatible API (XML), with the HMAC key of a service account.

Google verifies signatures of version 4 and knows S3's requests, but not the checksums that botocore adds to them by
default (boto/boto3#4400). Regions mean nothing there.
"""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from django.conf import settings

from voiceapp.providers.aws.client import AwsError, resource_at

SERVICE = "gcs"
WITHOUT_CHECKSUMS = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")


def google_resource() -> Any:
    """boto3's resource of S3, at Google. Make what it holds anew in each thread. Raises AwsError without a key."""
    key_id, secret = settings.GCS_HMAC_KEY_ID, settings.GCS_HMAC_SECRET
    if not (key_id and secret):
        # botocore would send the machine's credentials of AWS.
        raise AwsError(SERVICE, "no credentials: set GCS_HMAC_KEY_ID and GCS_HMAC_SECRET")
    url = settings.GCS_ENDPOINT_URL
    return resource_at("s3", region="auto", url=url, keys=(key_id, secret), more=WITHOUT_CHECKSUMS)
