"""The simulators that `manage.py run` starts for providers without keys, and the product's settings for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from django.conf import settings
from django.core.management.base import CommandError

from voiceapp.management.running.supervisor import Child, Supervisor

Environment = dict[str, str]

SESSIONS = "voice-sessions"
RECORDINGS = "recordings"
KITCHEN_PORT = 9200
# It stands for all packages of requirements-simulators.txt.
PACKAGE_OF_SIMULATORS = "pocketsphinx"


@dataclass(frozen=True, slots=True)
class Simulator:
    """`credentials` are the environment of its own process and of the product; `addresses` is added for the product.

    In `addresses`, `{url}` is where it listens and `{address}` the same without `http://`.
    """

    name: str
    arguments: list[str]
    port: int
    credentials: Environment
    addresses: Environment = field(default_factory=dict)

    def start(self, supervisor: Supervisor) -> Child:
        port = supervisor.ports.reserve_near(self.port)
        return supervisor.start(
            self.name,
            ["-m", f"voiceapp.simulators.{self.name}", "--port", str(port), *self.arguments],
            environment=self.credentials,
            is_needed_by_others=True,
        )

    def environment(self, url: str) -> Environment:
        """The product's settings when the simulator listens at this URL."""
        address = url.removeprefix("http://")
        return self.credentials | {key: text.format(url=url, address=address) for key, text in self.addresses.items()}


def start_simulators(supervisor: Supervisor, prepare: Callable[[], object]) -> None:
    """Start the required simulators and the kitchen, and add their settings to the environment of later children.

    `prepare` runs while they start.
    """
    simulators = required_simulators(supervisor.environment)
    if simulators and not find_spec(PACKAGE_OF_SIMULATORS):
        raise CommandError("The packages of the simulators are not installed. Install them: make setup-simulators")
    children = [(simulator, simulator.start(supervisor)) for simulator in simulators]
    kitchen_port = supervisor.ports.reserve_near(KITCHEN_PORT)
    kitchen = ["-m", "voiceapp.simulators.kitchen", "--port", str(kitchen_port)]
    supervisor.start("kitchen", kitchen, shows_output=True, is_needed_by_others=True)
    prepare()
    environment = dict(supervisor.environment)
    environment["SIMULATORS"] = ",".join(simulator.name for simulator in simulators)
    environment["ORDERS_URL"] = f"http://127.0.0.1:{kitchen_port}/orders"
    for simulator, child in children:
        environment |= simulator.environment(supervisor.wait_for_address(child))
    supervisor.environment = environment


def required_simulators(environment: Mapping[str, str]) -> list[Simulator]:
    """One for each provider whose keys are not set. `environment` is what all children get."""
    required = []
    if not settings.OPENAI_API_KEY:
        required.append(_openai())
    if not settings.VAPI_API_KEY:
        required.append(_vapi())
    if not settings.TWILIO_AUTH_TOKEN:
        required.append(_twilio())
    has_livekit = bool(settings.LIVEKIT_HOST and settings.LIVEKIT_API_KEY and settings.LIVEKIT_API_SECRET)
    if not has_livekit:
        required.append(_livekit(environment["PUBLIC_BASE_URL"]))
    if not (settings.AWS_ENDPOINT_URL or settings.AWS_ACCESS_KEY_ID or settings.VOICE_SESSION_QUEUE_URL):
        required.append(_aws(environment, has_bucket=not has_livekit and not settings.LIVEKIT_RECORDING_BUCKET))
    return required


def _openai() -> Simulator:
    key = {"OPENAI_API_KEY": f"sk-local-{secrets.token_hex(16)}"}
    return Simulator("openai", [], 9000, key, {"OPENAI_BASE_URL": "{url}/v1"})


def _vapi() -> Simulator:
    """Webhooks have the secret from the assistants, which the product sends; the simulator needs only the key."""
    keys = {"VAPI_API_KEY": f"vapi-local-{secrets.token_hex(16)}", "VAPI_SERVER_SECRET": secrets.token_hex(24)}
    # No assistant is stored there: each call brings its own.
    return Simulator("vapi", [], 9500, keys, {"VAPI_BASE_URL": "{url}", "VAPI_ASSISTANT_ID": ""})


def _twilio() -> Simulator:
    keys = {"TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}", "TWILIO_AUTH_TOKEN": secrets.token_hex(16)}
    return Simulator("twilio", [], 9100, keys, {"TWILIO_BASE_URL": "{url}"})


def _livekit(public_base_url: str) -> Simulator:
    keys = {"LIVEKIT_API_KEY": f"API{secrets.token_hex(8)}", "LIVEKIT_API_SECRET": secrets.token_hex(24)}
    webhook = {"LIVEKIT_WEBHOOK_URL": f"{public_base_url}/api/voice/webhook"}
    addresses = {"LIVEKIT_HOST": "ws://{address}", "LIVEKIT_INTERNAL_URL": "{url}"}
    return Simulator("livekit", [], 9300, keys | webhook, addresses)


def _aws(environment: Mapping[str, str], *, has_bucket: bool) -> Simulator:
    """moto accepts any key."""
    name = f"{environment['PROJECT_NAME']}-{environment['ENVIRONMENT']}"
    queue, bucket = f"{name}-{SESSIONS}", f"{name}-{RECORDINGS}"
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": settings.AWS_REGION}
    addresses = {
        "AWS_ENDPOINT_URL": "{url}",
        "VOICE_SESSION_TABLE": queue,
        "VOICE_SESSION_QUEUE_URL": "{url}/123456789012/" + queue,
    }
    arguments = ["--queue", queue, "--table", queue]
    if has_bucket:
        arguments += ["--bucket", bucket]
        addresses |= {"LIVEKIT_RECORDING_BUCKET": bucket, "LIVEKIT_RECORDING_REGION": settings.AWS_REGION}
    return Simulator("aws", arguments, 9400, keys, addresses)
