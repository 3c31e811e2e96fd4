"""The report of the running web process, which has its own keys and network, other than a terminal."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from voiceapp.core.api.errors import InternalError, Problem
from voiceapp.core.api.internal_key import without_internal_key

from .examination import TIMEOUT_S, examine
from .finding import Finding, failed, skipped

PATH = "/health/report"
# The time-out of the checks and the time of the request.
REQUEST_TIMEOUT_S = TIMEOUT_S + 0.6
NAME = "web process"
BUSY = Problem(429, message="A report is being made. Try again in a few seconds.", code="busy")
# One report at a time: parallel requests would check every provider in parallel.
_busy = threading.Lock()


@dataclass(frozen=True, slots=True)
class Report:
    """`source` is the address of the web process that made the findings, empty for this one."""

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
    """From the running web process, otherwise from this process with a finding that says why."""
    reasons = []
    for address in addresses():
        try:
            return Report(address, request_report(address))
        except NoReport as exc:
            reasons.append(exc.finding)
    return Report("", [*reasons[:1], *examine()])


class NoReport(Exception):
    """The process returned no report; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


def addresses() -> list[str]:
    """Possible addresses of the web process: that of `make run` first, then that of these settings."""
    found = []
    run_file = settings.VAR_DIR / "run.json"
    if run_file.exists():
        found.append(str(json.loads(run_file.read_text())["PUBLIC_BASE_URL"]))
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104 - compared, not bound
    found.append(f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}")
    return list(dict.fromkeys(found))


def request_report(address: str) -> list[Finding]:
    """Raises NoReport. The headers are those of the proxy, for ALLOWED_HOSTS and the redirect to https."""
    public = urlsplit(settings.PUBLIC_BASE_URL)
    headers = {
        "Authorization": f"Bearer {settings.INTERNAL_API_KEY}",
        "Host": public.netloc,
        "X-Forwarded-Proto": public.scheme,
    }
    try:
        response = httpx.get(address + PATH, headers=headers, timeout=REQUEST_TIMEOUT_S, trust_env=False)
    except httpx.ConnectError as exc:
        raise NoReport(
            skipped(NAME, f"none responds at {address}: the checks below use the settings of this terminal")
        ) from exc
    except httpx.HTTPError as exc:
        fix = "It hangs or is overloaded: check its log and voiceapp_loop_lag_seconds."
        raise NoReport(failed(NAME, f"{address} does not respond in time ({type(exc).__name__})", fix)) from exc
    try:
        return [Finding(**check) for check in response.json()["checks"]]
    except (ValueError, KeyError, TypeError) as exc:
        fix = (
            "It has another INTERNAL_API_KEY, or none: run the doctor with the settings of that process."
            if response.status_code == httpx.codes.UNAUTHORIZED
            else f"Check that this product listens there, in a version with {PATH}."
        )
        raise NoReport(failed(NAME, f"{address} returns {response.status_code} without a report", fix)) from exc
