"""Pictures of the player of a call, for the documentation: `make pictures` writes them. Nothing is played for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk
from .recorded_call import make_recorded_call

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]

FOLDER = Path(os.environ.get("PICTURES", "docs/images"))
SILENT = "HTMLMediaElement.prototype.play = async () => {};"


def test_pictures_of_the_player(desk: Desk, demo: Demo, settings: Settings, tmp_path: Path) -> None:
    settings.SIMULATORS = []
    call = make_recorded_call(demo, settings, tmp_path)
    page = desk.page
    page.add_init_script(SILENT)
    width = (page.viewport_size or {"width": 0})["width"]
    page.set_viewport_size({"width": width, "height": 1100})
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        desk.open(f"/admin/voice_sessions/call/{call.pk}/change/?t=40.6")
        expect(page.locator("[aria-current=true]")).to_contain_text("tiramisu")
        page.evaluate("document.querySelector('.va-recording').scrollIntoView()")
        assert desk.faults_of_access() == []
        page.screenshot(path=FOLDER / f"player-{width}-{theme}.png")
    assert desk.complaints == []
