"""The report of the web process that serves now: it knows its own keys and what it reaches, a terminal does not."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from voiceapp.core.api.errors import InternalError, Problem
from voiceapp.core.api.internal_key import without_internal_key

from .examination import PATIENCE_S, examine
from .finding import Finding, ill, skipped

PATH = "/health/report"
# The process's own patience, and what it takes to get there and back.
ANSWERS_WITHIN_S = PATIENCE_S + 0.6
NAME = "web process"
BUSY = Problem(429, message="A report is being made. Ask again in a few seconds.", code="busy")
# One report at a time: a request for each of a hundred would examine every provider a hundred times at once.
_busy = threading.Lock()


@dataclass(frozen=True, slots=True)
class Report:
    """`source` is where the findings were made: the address of a web process, empty for this one."""

    source: str
    findings: list[Finding]


def report(request: HttpRequest) -> HttpResponse:
    """`{"checks": [{name, is_well, detail, fix}, …]}`, on the internal key; 429 while another report is made."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if (refusal := without_internal_key(request)) is not None:
        return refusal
    if not _busy.acquire(blocking=False):
        return JsonResponse(InternalError.render(BUSY), status=429, headers={"Retry-After": "3"})
    try:
        return JsonResponse({"checks": [asdict(finding) for finding in examine()]})
    finally:
        _busy.release()


def make_report() -> Report:
    """By the web process that serves now, else by this process with a finding that says why."""
    reasons = []
    for address in addresses():
        try:
            return Report(address, ask(address))
        except NoReport as exc:
            reasons.append(exc.finding)
    return Report("", [*reasons[:1], *examine()])


class NoReport(Exception):
    """The process could not be asked; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


def addresses() -> list[str]:
    """Where a web process may be: the one that `make run` serves now first, then the one of these settings."""
    found = []
    run_file = settings.VAR_DIR / "run.json"
    if run_file.exists():
        found.append(str(json.loads(run_file.read_text())["PUBLIC_BASE_URL"]))
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104 - compared, not bound
    found.append(f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}")
    return list(dict.fromkeys(found))


def ask(address: str) -> list[Finding]:
    """Raises NoReport."""
    headers = {"Authorization": f"Bearer {settings.INTERNAL_API_KEY}"}
    try:
        response = httpx.get(address + PATH, headers=headers, timeout=ANSWERS_WITHIN_S, trust_env=False)
    except httpx.ConnectError as exc:
        raise NoReport(
            skipped(NAME, f"none answers at {address}: what follows is what this terminal's settings say")
        ) from exc
    except httpx.HTTPError as exc:
        fix = "It hangs or is too busy: look at its log, and at voiceapp_loop_lag_seconds."
        raise NoReport(ill(NAME, f"{address} does not answer in time ({type(exc).__name__})", fix)) from exc
    try:
        return [Finding(**check) for check in response.json()["checks"]]
    except (ValueError, KeyError, TypeError) as exc:
        fix = (
            "It has another INTERNAL_API_KEY, or none: run the doctor with the settings of that process."
            if response.status_code == httpx.codes.UNAUTHORIZED
            else f"Is it this product that listens there? Its version must have {PATH}."
        )
        raise NoReport(ill(NAME, f"{address} answers {response.status_code} without a report", fix)) from exc
