"""From a new organization to its first answered call: walked by keyboard at a phone's width, then rung."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]

NUMBER = "+493023125077"
STARTS_WITHIN_S = 90


@dataclass(slots=True)
class Product:
    """`make run` with a database of its own: the product, its worker, and a simulator of every provider."""

    address: str
    sign_in_link: str
    environment: dict[str, str]

    def ring(self, *said: str) -> dict[str, object]:
        words = [argument for text in said for argument in ("--say", text)]
        command = [sys.executable, "manage.py", "ring", "--to", NUMBER, "--json", "--timeout", "60", *words]
        done = subprocess.run(command, env=self.environment, cwd=settings.BASE_DIR, capture_output=True, text=True,
                              timeout=120, check=False)  # fmt: skip
        assert done.stdout, done.stderr
        call: dict[str, object] = json.loads(done.stdout)
        return call


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "VAR_DIR": str(tmp_path), "SECRET_KEY": "s" * 50, "INTERNAL_API_KEY": "i" * 40, "PORT": str(port),
        "DJANGO_ALLOW_ASYNC_UNSAFE": "",
    }  # fmt: skip
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL"):
        environment.pop(name, None)
    run = subprocess.Popen(
        [sys.executable, "manage.py", "run", "--call", "none"], env=environment, cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert run.stdout is not None
    patience = threading.Timer(STARTS_WITHIN_S, run.terminate)
    patience.start()
    try:
        printed = ""
        for line in run.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        patience.cancel()
        found = re.search(r"Sign in\s+(http://[^/]+)(/admin/sign-in\S+)", printed)
        assert found, printed
        yield Product(found[1], found[2], environment)
    finally:
        patience.cancel()
        os.killpg(run.pid, signal.SIGINT)
        try:
            run.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)


@pytest.fixture
def phone_size(browser: Browser, product: Product) -> Iterator[Desk]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    desk = Desk(context.new_page(), product.address)
    desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    desk.open(product.sign_in_link)
    desk.page.wait_for_url(f"{product.address}/admin/")
    yield desk
    context.close()


def go_on(desk: Desk, button: str = "Save and continue") -> None:
    """By keyboard: the button is reached with Tab, and pressed with Enter."""
    page = desk.page
    assert desk.faults_of_access() == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    page.locator("form.va-form").locator("input:visible, select:visible, textarea:visible").first.focus()
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent.trim()") == button:
            break
        page.keyboard.press("Tab")
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)
    page.wait_for_load_state("networkidle")


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", name=text, exact=True)).to_be_visible()


@pytest.mark.timeout(300)
def test_a_new_organization_answers_its_first_call_after_one_guided_flow(phone_size: Desk, product: Product) -> None:
    desk, page = phone_size, phone_size.page
    page.evaluate("document.querySelector('a[href=\"/admin/setup/\"]').click()")
    heading(page, "Your business")
    page.get_by_label("Name").fill("Trattoria Nuova")
    page.get_by_label("Type of business").select_option("restaurant")
    page.get_by_label("Country").select_option("DE")

    go_on(desk)
    heading(page, "Opening hours")
    page.get_by_label("Open around the clock").check()
    go_on(desk)
    heading(page, "Menu or services")
    page.get_by_label("Category").fill("Pizzas")
    page.get_by_label("Items with prices").fill("Margherita 9,50\nFunghi 10.50 €")
    go_on(desk)
    heading(page, "Transfer target")
    page.get_by_label("Number").fill("030 23125078")
    go_on(desk)
    heading(page, "Phone number")
    page.get_by_role("textbox", name="Number").fill("030 23125077")
    go_on(desk)
    heading(page, "Agent")
    page.get_by_label("Language", exact=False).first.select_option("en")
    page.get_by_label("Greeting").fill("Hello, this is Trattoria Nuova. What would you like to order?")
    go_on(desk)
    heading(page, "Check and publish")
    assert page.locator(".va-text-danger").count() == 0
    page.get_by_role("button", name="Publish Receptionist").focus()
    page.keyboard.press("Enter")
    heading(page, "First call")
    expect(page.get_by_text("No call was answered yet.")).to_be_visible()
    call = product.ring("One margherita, please.", "No, that is all.", "Yes, that is right.")
    assert (call["state"], call["differences"]) == ("completed", [])
    assert call["order"] == {"number": 1, "total": "9.50", "currency": "EUR"}
    expect(page.get_by_text("Receptionist has answered a call.")).to_be_visible(timeout=10_000)
    assert desk.complaints == []
