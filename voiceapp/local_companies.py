"""Which companies `manage.py run` plays on this machine, and what the product must be told to use them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from django.conf import settings
from django.core.management.base import CommandError

from voiceapp.supervisor import Child, Supervisor

Environment = dict[str, str]

SESSIONS = "voice-sessions"
RECORDINGS = "recordings"
# One of the packages of requirements-simulators.txt stands for all.
NOT_IN_PRODUCTION = "pocketsphinx"


@dataclass(frozen=True, slots=True)
class LocalCompany:
    """`needs` its own process has in the environment; `gives` what it listens at to those who are started later."""

    name: str
    arguments: list[str]
    port: int
    needs: Environment
    gives: Environment = field(default_factory=dict)

    def start(self, supervisor: Supervisor) -> Child:
        port = supervisor.ports.reserve_near(self.port)
        return supervisor.start(
            self.name,
            ["-m", f"voiceapp.simulators.{self.name}", "--port", str(port), *self.arguments],
            environment=self.needs,
            is_needed_by_others=True,
        )

    def described(self, url: str) -> Environment:
        """Itself at this address. `{url}` in what it gives is that, `{address}` the same without http://."""
        address = url.removeprefix("http://")
        return self.needs | {key: value.format(url=url, address=address) for key, value in self.gives.items()}


def start_companies(supervisor: Supervisor, prepare: Callable[[], object]) -> None:
    """Start those that are missing, and the kitchen; what the supervisor starts later knows where they are.

    `prepare` is done while they wake up.
    """
    missing = missing_companies(supervisor.environment)
    if missing and not find_spec(NOT_IN_PRODUCTION):
        raise CommandError("The packages of the simulators are not installed. Install them: make setup-simulators")
    children = [(company, company.start(supervisor)) for company in missing]
    kitchen = ["-m", "voiceapp.simulators.kitchen", "--port", str(port := supervisor.ports.reserve_near(9200))]
    supervisor.start("kitchen", kitchen, shows_output=True, is_needed_by_others=True)
    prepare()
    environment = dict(supervisor.environment)
    environment["LOCAL_COMPANIES"] = ",".join(company.name for company in missing)
    environment["ORDERS_URL"] = f"http://127.0.0.1:{port}/orders"
    for company, child in children:
        environment |= company.described(supervisor.wait_for_line(child))
    supervisor.environment = environment


def missing_companies(environment: Mapping[str, str]) -> list[LocalCompany]:
    """Those whose keys the settings lack; `environment` is what all children get."""
    missing = []
    if not settings.OPENAI_API_KEY:
        missing.append(_openai())
    if not settings.TWILIO_AUTH_TOKEN:
        missing.append(_twilio())
    has_livekit = bool(settings.LIVEKIT_HOST and settings.LIVEKIT_API_KEY and settings.LIVEKIT_API_SECRET)
    if not has_livekit:
        missing.append(_livekit(environment["PUBLIC_BASE_URL"]))
    if not (settings.AWS_ENDPOINT_URL or settings.AWS_ACCESS_KEY_ID or settings.VOICE_SESSION_QUEUE_URL):
        missing.append(_aws(environment, has_bucket=not has_livekit and not settings.LIVEKIT_RECORDING_BUCKET))
    return missing


def _openai() -> LocalCompany:
    return LocalCompany(
        "openai", [], 9000, {"OPENAI_API_KEY": f"sk-local-{secrets.token_hex(16)}"}, {"OPENAI_BASE_URL": "{url}/v1"}
    )


def _twilio() -> LocalCompany:
    keys = {"TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}", "TWILIO_AUTH_TOKEN": secrets.token_hex(16)}
    return LocalCompany("twilio", [], 9100, keys, {"TWILIO_BASE_URL": "{url}"})


def _livekit(public_base_url: str) -> LocalCompany:
    keys = {"LIVEKIT_API_KEY": f"API{secrets.token_hex(8)}", "LIVEKIT_API_SECRET": secrets.token_hex(24)}
    webhook = {"LIVEKIT_WEBHOOK_URL": f"{public_base_url}/api/voice/webhook"}
    addresses = {"LIVEKIT_HOST": "ws://{address}", "LIVEKIT_INTERNAL_URL": "{url}"}
    return LocalCompany("livekit", [], 9300, keys | webhook, addresses)


def _aws(environment: Mapping[str, str], *, has_bucket: bool) -> LocalCompany:
    """Placeholders are enough: whoever is on this machine may do anything there."""
    name = f"{environment['PROJECT_NAME']}-{environment['ENVIRONMENT']}"
    queue, bucket = f"{name}-{SESSIONS}", f"{name}-{RECORDINGS}"
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": settings.AWS_REGION}
    gives = {"AWS_ENDPOINT_URL": "{url}", "VOICE_SESSION_TABLE": queue}
    gives["VOICE_SESSION_QUEUE_URL"] = "{url}/123456789012/" + queue
    arguments = ["--queue", queue, "--table", queue]
    if has_bucket:
        arguments += ["--bucket", bucket]
        gives |= {"LIVEKIT_RECORDING_BUCKET": bucket, "LIVEKIT_RECORDING_REGION": settings.AWS_REGION}
    return LocalCompany("aws", arguments, 9400, keys, gives)
