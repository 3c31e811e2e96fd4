"""Run `manage.py check --deploy` under a complete production environment, and fail on any warning."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

PRODUCTION = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "DEBUG": "false",
    "ALLOWED_HOSTS": "voice.example.com",
    "PUBLIC_BASE_URL": "https://voice.example.com",
    "TRUSTED_PROXY_COUNT": "1",
    "DATABASE_URL": "postgres://voiceapp:secret@db.example.com/voiceapp",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "CELERY_BROKER_URL": "redis://redis.example.com:6379/1",
    "OPENAI_API_KEY": "sk-example",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
    "INTERNAL_API_KEY": secrets.token_hex(32),
    "RECORDINGS_DIR": "/srv/recordings",
    "VOICE_SESSION_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/sessions",
    "SIMULATORS": "",
}

if __name__ == "__main__":
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    sys.exit(subprocess.run(command, env=os.environ | PRODUCTION, check=False).returncode)
