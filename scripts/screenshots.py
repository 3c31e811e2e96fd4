"""`make screenshots`: a picture of each page of the console and of the call page, from demo data, without any key.

    python -m scripts.screenshots [--only live] [--keep]

Starts the product as `make run` does, with a database of its own, and places a call. The pages are those of the sidebar
(voiceapp/console/navigation.py), the first entry of each list, and what these lead to. Fails on what the browser's
console complains of, on what the content policy forbids, on what axe calls serious, and on pages wider than the screen.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES, KEPT = ROOT / "var" / "screenshots", ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "dark"))
# Those that `--keep` puts into the documentation: few, because each run makes them anew.
IN_DOCS = ("analytics", "live-call", "order-board", "calls")
CALLS = 60
# Of what this machine's environment or `.env` may have: no key is used, and nobody is rung.
WITHOUT = (
    "OPENAI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "LIVEKIT_HOST", "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET", "VAPI_API_KEY", "AWS_ACCESS_KEY_ID", "REDIS_URL",
)  # fmt: skip
SAYS = ("Hi, two small funghi and a tiramisu, please.", "Is the tiramisu without nuts?", "And a margherita, please.")
READY_WITHIN_S, TALKS_WITHIN_S = 120, 60
LIVE = "/admin/live/"
SETTLES_MS = 900
HEIGHT, HIGHEST = 844, 6000
SAY_POLICY = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`content policy: ${event.violatedDirective} forbids ${event.blockedURI}`));"""
# Name and path of each page: the sidebar is made from voiceapp/console/navigation.py.
SIDEBAR = """[...document.querySelectorAll("#nav-sidebar a[href^='/admin/']")].map((link) => {
    const copy = link.cloneNode(true);
    copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
    const name = copy.textContent.trim().split(/\\s*\\n|\\d/)[0].trim().toLowerCase().replaceAll(" ", "-");
    return link.querySelector(".material-symbols-outlined") ? [name, link.getAttribute("href")] : ["", ""];
}).filter(([name]) => name)"""
LINKS = """[...document.querySelectorAll("#main a[href], #content a[href]")]
    .map((link) => new URL(link.href)).filter(({origin, pathname}) => origin === location.origin
        && pathname.startsWith("/admin/")).map(({pathname}) => pathname)"""
ROW = re.compile(r"/(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")
# Pages of Django's that are the same for each kind of row.
ALIKE = ("/history/", "/delete/")
SERIOUS = """axe.run({exclude: ['.select2']}, {resultTypes: ['violations']}).then(({violations}) => violations
    .filter(({impact}) => ["serious", "critical"].includes(impact))
    .flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 160)}`)))"""


@dataclass(slots=True)
class Album:
    """The pictures of one size, and what was wrong with the pages."""

    context: BrowserContext
    address: str
    width: int
    theme: str
    folder: Path
    only: tuple[str, ...]
    keeps: bool
    faults: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # kinds of pages
    beyond: dict[str, str] = field(default_factory=dict)  # the first page of each kind that others lead to

    @property
    def size(self) -> str:
        return f"{self.width}-{self.theme}"

    def wants(self, name: str) -> bool:
        return not self.only or any(word in name for word in self.only)

    def take(self, name: str, path: str) -> Page | None:
        """Open the page, judge it and take its picture; the open page, None where it is not wanted."""
        if not self.wants(name):
            return None
        page = self.context.new_page()

        def complain(what: str) -> None:
            self.faults.append(f"{name} ({self.size}, {path}): {what}")

        page.on("console", lambda message: complain(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.add_init_script(SAY_POLICY)
        answer = page.goto(self.address + path)
        if answer is None or not answer.ok:
            complain(f"HTTP status {answer and answer.status}")
        page.wait_for_timeout(SETTLES_MS)
        self.judge(page, complain)
        if self.keeps and name in IN_DOCS and (self.width, self.theme) == SIZES[0]:
            page.screenshot(path=KEPT / f"console-{name}.png")
        # The whole page, with what sticks to the screen's lower end at its own.
        height = min(page.evaluate("document.documentElement.scrollHeight"), HIGHEST)
        page.set_viewport_size({"width": self.width, "height": max(height, HEIGHT)})
        page.screenshot(path=self.folder / f"{name}-{self.size}.png")
        self.seen.add(kind_of(path))
        for link in page.evaluate(LINKS):
            self.beyond.setdefault(kind_of(link), link)
        return page

    def take_beyond(self) -> None:
        """Pages of a kind that no list and no entry is: of each kind one."""
        while new := [kind for kind in self.beyond if kind not in self.seen and not kind.endswith(ALIKE)]:
            for kind in new:
                self.seen.add(kind)
                path = self.beyond[kind]
                answer = self.context.request.get(self.address + path)
                if answer.headers.get("content-type", "").startswith("text/html"):  # a file is no page
                    self.close(self.take(kind.strip("/").removeprefix("admin/").replace("/", "-"), path))

    def judge(self, page: Page, complain: Callable[[str], None]) -> None:
        page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
        for each in page.evaluate(SERIOUS):
            complain(each)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            complain(f"{wide} px wider than the screen")

    def take_list(self, name: str, path: str) -> None:
        """A page of the sidebar, and the first entry of its list if it has one."""
        page = self.take(name, path)
        if page is None:
            return
        entry = page.locator("#result_list tbody a[href*='/change/']").first
        to = entry.get_attribute("href") if entry.count() else None
        page.close()
        if to and self.wants(f"{name}-entry"):
            self.close(self.take(f"{name}-entry", to))

    def close(self, page: Page | None) -> None:
        if page is not None:
            page.close()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", action="append", default=[], metavar="WORD", help="pages with this in their name")
    arguments.add_argument("--keep", action="store_true", help="renew those of the documentation")
    arguments.add_argument("--into", type=Path, default=PICTURES, metavar="FOLDER", help="(default: var/screenshots)")
    chosen = arguments.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="voiceapp-screenshots-") as folder,
        running_product(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        faults = take_all(browser, address, chosen)
    print("\n".join(faults))
    print(f"{len(list(chosen.into.glob('*.png')))} pictures in {chosen.into}, {len(faults)} faults")
    return int(bool(faults))


def take_all(browser: Browser, address: str, chosen: argparse.Namespace) -> list[str]:
    signed_in = browser.new_context()
    page = signed_in.new_page()
    page.goto(manage("sign_in_link", "admin").strip())
    page.goto(f"{address}/admin/")
    pages: list[tuple[str, str]] = page.evaluate(SIDEBAR)
    albums = []
    for width, theme in SIZES:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT}, color_scheme=theme, storage_state=signed_in.storage_state()
        )
        albums.append(Album(context, address, width, theme, chosen.into, tuple(chosen.only), keeps=chosen.keep))
    with on_the_phone(page, address):
        for album in albums:
            live = album.take("live-calls", LIVE)
            entry = live.locator("tbody a").first.get_attribute("href") if live else LIVE
            album.close(album.take("live-call", str(entry)))
            album.close(live)
    for album in albums:
        for name, path in pages:
            if path != LIVE:  # the call is over
                album.take_list(name, path)
        album.take_beyond()
        album.close(album.take("call-page", "/call/bella-napoli"))
    return [fault for album in albums for fault in album.faults]


@contextlib.contextmanager
def running_product(folder: Path) -> Iterator[str]:
    """Its address. It ends with the context; its log is shown if it does not start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    os.environ |= dict.fromkeys(WITHOUT, "") | {
        "VAR_DIR": str(folder), "PORT": str(port), "PUBLIC_BASE_URL": address, "ENVIRONMENT": "dev",
        "DATABASE_URL": f"sqlite:///{folder / 'voiceapp.sqlite3'}", "CELERY_BROKER_URL": "filesystem://",
        "SECRET_KEY": secrets.token_urlsafe(40), "INTERNAL_API_KEY": secrets.token_urlsafe(40),
    }  # fmt: skip
    log = folder / "run.out"
    command = [sys.executable, "manage.py", "run", "--call", "none"]
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process:
        try:
            comes_true(lambda: b"Serving." in log.read_bytes() or process.poll() is not None, READY_WITHIN_S)
            if b"Serving." not in log.read_bytes():
                raise SystemExit(log.read_text())
            manage("seed_demo", "--garage", "--examples", "--history", str(CALLS))
            manage("rebuild_analytics")
            yield address
        finally:
            process.terminate()


def kind_of(path: str) -> str:
    """The path without the keys of rows."""
    return ROW.sub("", path.partition("?")[0])


def manage(*command: str) -> str:
    done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True, stdout=-1, text=True)
    return str(done.stdout)


@contextlib.contextmanager
def on_the_phone(page: Page, address: str) -> Iterator[None]:
    """A call of the simulated phone, which talks meanwhile."""
    command = [sys.executable, "manage.py", "ring", *(word for each in SAYS for word in ("--say", each))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as ringing:
        try:
            page.goto(address + LIVE)
            page.locator("tbody a").first.wait_for(timeout=TALKS_WITHIN_S * 1000)
            page.wait_for_timeout(12_000)
            yield
        finally:
            ringing.terminate()


def comes_true(is_true: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not is_true() and time.monotonic() < end:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
