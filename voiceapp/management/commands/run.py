"""`manage.py run`: the whole product on this machine, with a simulator for each provider without keys; two calls."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, transaction
from django.utils import timezone

from agents.organizations.models import ApiKey, Organization
from agents.organizations.services import issue_key
from agents.organizations.trades import Trade
from voiceapp.management.demo.organization import SLUG
from voiceapp.management.ringing.hearing import newest_recorded_call, page_of
from voiceapp.management.running.simulators import start_simulators
from voiceapp.management.running.supervisor import STOP_SIGNALS, Child, ChildFailed, Ports, PortTaken, Supervisor
from voiceapp.providers.webhook_signature import new_secret

ADMIN_NAME = "admin"
OTHER_PORT = 8090
HERE = ("127.0.0.1", "localhost")
# As a shell reports it: the calls were not compared.
INTERRUPTED = 130
KEY_NAME = "make run"
MANAGE = ".venv/bin/python manage.py"
LEAST_SPACE_BYTES = 4_000_000
ALREADY_RUNNING = (
    "`make run` is running already, with the data in {folder}. Stop it by Ctrl-C in its terminal. "
    f"To run a second one beside it, give it data of its own: make run VAR_DIR=var/second PORT={OTHER_PORT}"
)
NO_SPACE = "No space is left on the disk that holds {folder}. Free some, or set VAR_DIR to a folder on another disk."


class Stopped(Exception):
    """Ctrl-C or SIGTERM: time to stop everything."""


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # their warnings are for those who serve
    help = "Set everything up and serve it on 127.0.0.1. Example: manage.py run --call only"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--call",
            choices=["once", "only", "none"],
            default="once",
            help="once: ring and go on serving (the default); only: stop after those calls; none: do not ring",
        )

    def handle(self, *args: object, **options: object) -> None:
        with only_one(settings.VAR_DIR):
            status = self.run_until_stopped(str(options["call"]))
        if options["call"] != "only":
            self.say("Everything is stopped.")
        if status:
            sys.exit(status)

    def run_until_stopped(self, call: str) -> int:
        """Returns the exit status. Whatever happens, nothing that was started is left."""
        ports = Ports()
        supervisor = Supervisor(os.environ, settings.VAR_DIR / "log", ports)
        run_file = settings.VAR_DIR / "run.json"
        try:
            try:
                handle_stop_signals(self.on_signal)
                supervisor.environment = self.environment(ports)
                return self.run(supervisor, run_file, call)
            finally:
                handle_stop_signals(signal.SIG_IGN)
        except Stopped:
            self.say("\nStopping…")
            return INTERRUPTED if call == "only" else 0
        except (ChildFailed, OSError, OperationalError) as exc:
            if is_disk_full(settings.VAR_DIR):
                raise CommandError(NO_SPACE.format(folder=settings.VAR_DIR)) from exc
            if isinstance(exc, OperationalError):
                raise
            raise CommandError(str(exc)) from exc
        finally:
            supervisor.stop()
            run_file.unlink(missing_ok=True)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Once: a second Ctrl-C while stopping must not leave children behind."""
        handle_stop_signals(signal.SIG_IGN)
        raise Stopped

    def environment(self, ports: Ports) -> dict[str, str]:
        """The environment of every child process: ours, secrets of this machine, the product's address."""
        try:
            # The product's own port first: the simulators take what is left.
            port = ports.reserve(settings.PORT)
        except PortTaken as exc:
            raise CommandError(
                f"Port {settings.PORT} is taken by another program. Choose another one: make run PORT={OTHER_PORT}"
            ) from exc
        environment = dict(os.environ) | write_secrets(settings.BASE_DIR / ".env")
        without_proxy = ",".join(filter(None, (environment.get("NO_PROXY"), *HERE)))
        environment |= {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            # Those of a production server in `.env` would refuse this address.
            "ALLOWED_HOSTS": ",".join(dict.fromkeys([*settings.ALLOWED_HOSTS, *HERE])),
            "PYTHONUNBUFFERED": "1",
            "ORDERS_SECRET": new_secret(),
            "PROJECT_NAME": settings.PROJECT_NAME,
            # Stubs of this machine may be named over the API.
            "ENVIRONMENT": os.environ.get("ENVIRONMENT", "dev"),
            # The children speak with each other.
            "NO_PROXY": without_proxy,
            "no_proxy": without_proxy,
            "DEMO_ORGANIZATION": settings.DEMO_ORGANIZATION or SLUG,
            "EMAIL_URL": settings.EMAIL_URL or f"filemail:///{settings.VAR_DIR / 'mail'}",
        }
        return environment

    def run(self, supervisor: Supervisor, run_file: Path, call: str) -> int:
        """Start everything, ring, serve. With `--call only` the exit status is that of the call."""
        began, self.began_at = time.monotonic(), timezone.now()
        self.say("Preparing the database and starting the simulators…")
        start_simulators(supervisor, lambda: call_command("migrate", interactive=False, verbosity=0))
        environment = supervisor.environment
        if names := environment["SIMULATORS"].replace(",", ", "):
            self.say(f"Demo mode: simulated providers ({names}).")
        web = self.start_product(supervisor)
        seeded = self.seed(environment)
        supervisor.wait_for_ok(web, f"{environment['PUBLIC_BASE_URL']}/health/ready")
        run_file.write_text(
            json.dumps({key: environment[key] for key in ("PUBLIC_BASE_URL", "TWILIO_BASE_URL") if key in environment})
        )
        run_file.chmod(0o600)
        self.say(f"Ready after {time.monotonic() - began:.1f} s.")
        status = 0
        if why := why_not_ring(call, environment["SIMULATORS"].split(",")):
            self.say(why)
        elif call != "none":
            self.stdout.write("")
            status = self.ring(environment)
        if call == "only":
            return status
        self.print_addresses(environment, seeded)
        while True:
            for text in supervisor.restart_exited():
                self.say(text)
            time.sleep(0.5)

    def ring(self, environment: Mapping[str, str]) -> int:
        """An order at the restaurant, an appointment at the garage. 0 if both are as the callers said."""
        restaurant, garage = (
            # In a session of its own: Ctrl-C stops this process, which stops all others.
            subprocess.run(
                [sys.executable, "manage.py", "ring", *to], env=environment, check=False, start_new_session=True
            ).returncode
            for to in ([], ["--to", Trade.GARAGE.value])
        )
        return restaurant or garage

    def seed(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The demo organizations, with their orders and appointments going to the simulated kitchen."""
        command = [
            "seed_demo", "--garage", "--examples", "--open-call-pages", "--json",
            "--orders-url", environment["ORDERS_URL"],
        ]  # fmt: skip
        printed = self.output_of(command, environment)
        seeded: dict[str, str] = json.loads(printed)
        return seeded

    def output_of(self, command: list[str], environment: Mapping[str, str]) -> str:
        """What a command of ours prints, run in the product's environment."""
        whole = [sys.executable, "manage.py", *command]
        done = subprocess.run(
            whole, env=environment, check=False, capture_output=True, text=True, start_new_session=True
        )
        if done.returncode:
            raise CommandError(f"manage.py {command[0]} failed:\n{done.stderr}")
        return done.stdout.strip()

    def start_product(self, supervisor: Supervisor) -> Child:
        """The worker, the consumer of announcements, the web process; the last one is returned."""
        worker = [
            "-m", "celery", "-A", "voiceapp", "worker", "--beat", "--schedule", str(settings.VAR_DIR / "beat"),
            "--concurrency", "2", "--loglevel", "warning", "--without-gossip", "--without-mingle",
        ]  # fmt: skip
        supervisor.start("worker", worker)
        if "aws" in supervisor.environment["SIMULATORS"].split(","):
            supervisor.start("consumer", ["manage.py", "consume_sessions"])
        if "livekit" in supervisor.environment["SIMULATORS"].split(",") or settings.LIVEKIT_HOST:
            self.start_agent(supervisor)
        return supervisor.start("web", ["manage.py", "serve"])

    def start_agent(self, supervisor: Supervisor) -> None:
        """The worker whose agents speak in rooms, where its packages are."""
        if find_spec("livekit.agents"):
            supervisor.start("agent", ["manage.py", "run_agent"])
        else:
            self.say("No agent speaks in LiveKit rooms: its packages (300 MB) are missing. Install: make setup-agent")

    def print_addresses(self, environment: Mapping[str, str], seeded: dict[str, str]) -> None:
        """The link and the key are made last and printed at once: a start that fails would not print them."""
        base = environment["PUBLIC_BASE_URL"]
        # By a process of its own: at the first start this one has not read the SECRET_KEY that it has just written.
        link = self.output_of(["sign_in_link", demo_admin().username], environment)
        key = replace_demo_key(seeded["organization_id"])
        manage = manage_command()
        recorded = newest_recorded_call(since=self.began_at)
        for name, text in [
            ("Home", f"{base}/"),
            ("Talk to it", f"{base}/call/{environment['DEMO_ORGANIZATION']}"),
            ("Sign in", f"{link}"),
            ("", f"as {ADMIN_NAME}; the link works once, within ten minutes"),
            *([("Hear a call", f"{page_of(recorded, base)}   (once you are signed in)")] if recorded else []),
            ("Another link", f"{manage} sign_in_link {ADMIN_NAME}"),
            ("Password", f"set one: {manage} changepassword {ADMIN_NAME}, then {base}/admin/"),
            ("API key", f"{key}   (until the next start)"),
            ("", f"curl -H 'X-API-Key: {key}' -H 'Content-Type: application/json' -d {{}} {base}/voice-session"),
            ("Webhook", seeded["webhook_url"]),
            ("Ring again", f"{manage} ring --say 'One large margherita, please.'"),
            ("", f"{manage} ring --to garage"),
            ("Logs", str(settings.VAR_DIR / "log")),
        ]:
            self.stdout.write(f"  {name:<13} {text}")
        self.stdout.write("\nServing. Ctrl-C stops everything.")
        self.stdout.flush()

    def say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal was closed
            self.stdout.write(text)
            self.stdout.flush()


def manage_command() -> str:
    """For another terminal: with the settings that lead to this database and address, where they are not the usual."""
    usual = {"VAR_DIR": "var", "PORT": "8080"}
    given = {name: os.environ.get(name) or text for name, text in usual.items()}
    return " ".join([*(f"{name}={given[name]}" for name in usual if given[name] != usual[name]), MANAGE])


def handle_stop_signals(handler: signal._HANDLER) -> None:
    """Those of a terminal that was closed stay ignored where `nohup` says so."""
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two would share a database, a queue and logs, and each would process the other's jobs. Raises CommandError."""
    with (folder / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise CommandError(ALREADY_RUNNING.format(folder=folder)) from exc
        yield


def why_not_ring(call: str, simulators: list[str]) -> str:
    """Why the simulated phone places no call although one was expected, and what to do instead."""
    if call != "none" and "twilio" not in simulators:
        return "Twilio is the real one: ring the number with your own phone."
    if call == "once" and "openai" not in simulators:
        return "OpenAI is the real one, and bills each call: talk to it in the browser, at the address below."
    return ""


def is_disk_full(folder: Path) -> bool:
    """SQLite reports a full disk by several errors, so the disk itself is looked at."""
    return shutil.disk_usage(folder).free < LEAST_SPACE_BYTES


def write_secrets(path: Path) -> dict[str, str]:
    """Write what is missing of this machine's own secrets into the ignored file, for its owner only; returns it.

    A line without a value, as in a copy of `.env.example`, is replaced: of several lines the first one counts.
    """
    path = path.resolve()
    lines = path.read_text().splitlines() if path.exists() else []
    known = {name for line in lines for name, _, value in [line.strip().partition("=")] if value.strip()}
    missing = [name for name in ("SECRET_KEY", "INTERNAL_API_KEY") if not os.environ.get(name) and name not in known]
    made = {name: secrets.token_urlsafe(48) for name in missing}
    if made:
        kept = [line for line in lines if line.strip().rstrip("=").rstrip() not in made]
        written = path.with_name(f"{path.name}.new")
        written.touch(mode=0o600)
        written.write_text("".join(f"{line}\n" for line in [*kept, *(f"{name}={made[name]}" for name in missing)]))
        written.replace(path)
    return made


def demo_admin() -> User:
    """The admin of this machine; without a password until somebody sets one."""
    user, is_new = User.objects.get_or_create(username=ADMIN_NAME, defaults={"is_staff": True, "is_superuser": True})
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def replace_demo_key(organization_id: str) -> str:
    """A key of the demo organization that works. Only its hash is kept, so each start makes a new one."""
    organization = Organization.objects.get(pk=organization_id)
    with transaction.atomic():
        ApiKey.objects.filter(organization=organization, name=KEY_NAME).delete()
        return issue_key(organization, name=KEY_NAME, by=KEY_NAME).text
