"""What the call page shows and does during a call: states, captions, cards, controls, and the end."""

from __future__ import annotations

import re

import pytest
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from sessions.calls.models import Call
from sessions.tests.builders import make_call
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.tests.waiting import soon

from .call_pages import (
    CALL,
    HEARD_AFTER,
    MARKS,
    SILENT_WITHIN_MS,
    WITHIN_MS,
    CallDesk,
    browser,
    caller,
    context,
    harbour,
    open_call_page,
    openai,
    signed_in,
)
from .rooms import LISTEN, until_heard

__all__ = ["browser", "caller", "context", "harbour", "openai", "signed_in"]

pytestmark = [*MARKS, pytest.mark.sound]

# What keeps the screen on.
KEEP_LOCKS = """() => {
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    window.locks = [];
    navigator.wakeLock.request = async (type) => {
        const lock = await request(type);
        window.locks.push(lock);
        return lock;
    };
}"""
LONG = "We have margherita, funghi, quattro stagioni, calzone and tiramisu, and they are all very good today."
ORDER = {
    "version": 1, "subtotal": "21.00", "tax": "2.10", "total": "23.10", "currency": "EUR",
    "lines": [
        {"line": 1, "quantity": 2, "item": "Funghi", "size": "small", "modifiers": ["extra cheese"], "note": "",
         "price": "21.00"},
    ],
}  # fmt: skip
APPOINTMENT = {
    "number": None, "state": "", "service": "Oil change", "when": "Friday, December 4 at 9 am", "name": "Alice",
    "vehicle": "Fiat Panda", "price": "89.00", "currency": "EUR",
}  # fmt: skip


def test_a_call_from_the_click_to_the_end_screen(caller: CallDesk) -> None:
    page = caller.page
    server = caller.begin()
    assert page.evaluate("document.activeElement.id") == "call-heading"
    log = page.get_by_role("log")
    server.say("Hello, this is Harbour.")
    caller.shows("Speaking")
    expect(page.locator("#interim")).to_contain_text("Agent: Hello, this is Harbour.")
    assert page.locator("#interim").get_attribute("aria-hidden") == "true"
    assert log.locator("p").count() == 0
    caller.shows("Listening")
    expect(log.locator("[data-speaker=agent]")).to_contain_text("Agent: Hello, this is Harbour.")
    server.send(type="progress", **server.progress | {"order": ORDER, "responseMs": [820]})
    expect(page.locator("#order-lines")).to_have_text("2 × small Funghi, extra cheese: 21.00")
    expect(page.locator("#order-total")).to_have_text("Total 23.10 EUR")
    expect(page.locator("#latency-turns")).to_have_text("Turn 1: 0.8 s")
    server.send(type="progress", **server.progress | {"appointment": APPOINTMENT})
    expect(page.locator("#appointment-facts")).to_contain_text("Friday, December 4 at 9 am")
    assert caller.faults_of_access() == []
    submitted = {"number": 7, "total": "23.10", "currency": "EUR"}
    server.progress |= {
        "order": ORDER, "submitted": submitted, "responseMs": [820], "cost": "0.0421", "durationS": 75,
        "logUrl": "/admin/voice_sessions/call/1/change/",
    }  # fmt: skip
    page.get_by_role("button", name="End call").click()
    caller.shows("The call has ended")
    summary = page.locator("#summary")
    for words in (
        "Caller hung up. 1 min 15 s. Response times: 0.8 s.",
        "Order 7: 23.10 EUR.",
        "Cost: 0.0421 US dollars.",
    ):
        expect(summary).to_contain_text(words)
    assert page.evaluate("document.activeElement.id") == "summary-heading"
    link = summary.get_by_role("link", name="Open in the call log")
    assert link.get_attribute("href") == "/admin/voice_sessions/call/1/change/"
    assert caller.faults_of_access() == []
    check_what_is_taken_along(page)
    page.get_by_role("button", name="Call again").click()
    caller.shows("Listening")
    expect(summary).to_be_hidden()
    assert log.locator("p").count() == 0
    assert caller.complaints == []


def check_what_is_taken_along(page: Page) -> None:
    """The conversation as the page shows it, copied and downloaded."""
    text = page.get_by_role("log").locator("p").all_inner_texts()
    assert len(text) == 1
    assert re.fullmatch(r"\d:\d\d Agent: Hello, this is Harbour\.", text[0])
    page.context.grant_permissions(["microphone", "clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy conversation").click()
    expect(page.locator("#notice")).to_have_text("The conversation was copied.")
    assert page.evaluate("navigator.clipboard.readText()") == text[0]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download conversation").click()
    assert download.value.suggested_filename == f"call-{CALL}.txt"
    assert download.value.path().read_text() == f"{text[0]}\n"


def test_the_agent_is_silent_at_once_when_it_is_interrupted_by_the_button(caller: CallDesk) -> None:
    server = caller.begin()
    server.say(LONG)
    heard_ms = caller.page.evaluate(HEARD_AFTER, "interrupt")
    assert heard_ms < SILENT_WITHIN_MS
    assert server.received[-1] == {"type": "interrupt"}
    server.tell({"type": "output_audio_buffer.clear"})
    line = caller.page.get_by_role("log").locator("[data-speaker=agent]")
    expect(line).to_contain_text("(interrupted)")
    assert "very good today" not in str(line.text_content())
    caller.shows("Listening")


def test_what_is_typed_goes_to_the_agent(caller: CallDesk) -> None:
    server = caller.begin()
    field = caller.page.get_by_label("Or type")
    field.focus()
    caller.page.keyboard.type("Two funghi, mi piace")  # with the letters of shortcuts
    caller.page.keyboard.press("Enter")
    expect(caller.page.get_by_role("log")).to_contain_text("You: Two funghi, mi piace")
    assert server.received[-1] == {"type": "say", "text": "Two funghi, mi piace"}
    assert field.input_value() == ""
    assert caller.page.locator("#mute").get_attribute("aria-pressed") == "false"


def test_mute_by_key_and_button_sends_silence(caller: CallDesk) -> None:
    caller.begin()
    mute = caller.page.get_by_role("button", name="Mute")
    caller.page.keyboard.press("m")
    assert (mute.get_attribute("aria-pressed"), is_sending(caller.page)) == ("true", False)
    mute.click()
    assert (mute.get_attribute("aria-pressed"), is_sending(caller.page)) == ("false", True)


def is_sending(page: Page) -> bool:
    return bool(page.evaluate("document.getElementById('call').way.sending"))


def test_push_to_talk_by_space_and_by_pointer(caller: CallDesk) -> None:
    page = caller.page
    page.get_by_label("Push-to-talk").check()
    caller.begin()
    talk = page.get_by_role("button", name="Hold to talk")
    expect(page.get_by_role("button", name="Mute")).to_be_hidden()
    assert not is_sending(page)
    page.keyboard.down("Space")
    assert (talk.get_attribute("aria-pressed"), is_sending(page)) == ("true", True)
    page.keyboard.up("Space")
    assert (talk.get_attribute("aria-pressed"), is_sending(page)) == ("false", False)
    talk.hover()
    page.mouse.down()
    assert is_sending(page)
    page.mouse.move(5, 5)
    page.mouse.up()
    assert not is_sending(page)
    talk.focus()
    page.keyboard.down("Enter")
    assert is_sending(page)
    page.keyboard.up("Enter")
    assert not is_sending(page)
    page.reload()
    expect(page.get_by_label("Push-to-talk")).to_be_checked()


def test_who_is_not_heard_is_told_so(caller: CallDesk) -> None:
    caller.begin()
    expect(caller.page.locator("#notice")).to_contain_text("We can't hear you.", timeout=10_000)


def test_the_agent_is_heard_and_its_meter_moves(caller: CallDesk) -> None:
    server = caller.begin()
    caller.page.evaluate(LISTEN)
    server.say(LONG)
    until_heard(caller.page, louder_than=0.05)
    meter = caller.page.get_by_role("meter", name="Agent")
    expect(meter).not_to_have_attribute("aria-valuenow", "0")
    caller.page.get_by_label("Volume").fill("0")
    caller.page.wait_for_timeout(0)
    assert caller.page.evaluate("document.querySelector('audio').volume") == 0


def test_the_microphone_can_be_tested_before_the_call(caller: CallDesk) -> None:
    page = caller.page
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    expect(page.locator("[data-check=secure]")).to_have_text("✓ The page is secure.")
    expect(page.locator("[data-check=microphone]")).to_have_text("✓ The microphone is allowed.")
    page.get_by_role("button", name="Test microphone").click()
    network = page.locator("[data-check=network]")
    expect(network).to_have_text("✓ This server can be reached. The voice provider is tried when the call begins.")
    assert [address for address in requested if address.endswith("/health")]
    page.route("**/health", lambda route: route.fulfill(status=503))
    page.get_by_role("button", name="Test microphone").click()
    expect(network).to_have_text("✗ This server cannot be reached. Check your network.")
    expect(page.locator("[data-check=microphone]")).to_have_text("• Say something: the meter should move.")
    picker = page.get_by_label("Microphone", exact=True)
    expect(picker).to_be_enabled()
    assert picker.locator("option").count() > 1
    assert caller.server is not None
    assert caller.server.minted == 0


def test_another_microphone_is_chosen_in_mid_call_and_remembered(caller: CallDesk) -> None:
    caller.begin()
    picker = caller.page.get_by_label("Microphone", exact=True)
    chosen = picker.locator("option").nth(1).get_attribute("value")
    picker.select_option(chosen)
    stored = "localStorage.getItem('voiceapp.call.audioinput')"
    assert caller.page.evaluate(stored) == chosen
    caller.shows("Listening")
    check_the_speaker(caller.page)


def check_the_speaker(page: Page) -> None:
    """The agent is played there, in this call and in the next one."""
    speakers = page.get_by_label("Speaker")
    chosen = speakers.locator("option").nth(1).get_attribute("value")
    assert chosen
    speakers.select_option(chosen)
    where = "[...document.querySelectorAll('audio')].map((each) => each.sinkId)"
    soon(lambda: page.evaluate(where) == [chosen])
    assert page.evaluate("localStorage.getItem('voiceapp.call.audiooutput')") == chosen
    page.get_by_role("button", name="End call").click()
    page.get_by_role("button", name="Call again").click()
    expect(page.locator("#state")).to_have_text("Listening", timeout=WITHIN_MS)
    soon(lambda: page.evaluate(where) == [chosen])
    expect(speakers).to_have_value(chosen)


def test_a_call_by_keyboard_alone(caller: CallDesk) -> None:
    page = caller.page
    page.locator("#begin").focus()
    page.keyboard.press("Enter")
    caller.shows("Listening")
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
        if seen[-1] == "end":
            break
    assert seen == ["mute", "interrupt", "end"]
    page.keyboard.press("Enter")
    caller.shows("The call has ended")


def test_a_phone_in_the_dark_with_little_motion(
    browser: Browser, signed_in: SetCookieParam, openai: OpenAISimulator, live_server: LiveServer
) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", reduced_motion="reduce", has_touch=True,
        is_mobile=True, permissions=["microphone"],
    ) as context:  # fmt: skip
        context.add_cookies([signed_in])
        desk = open_call_page(context, openai, f"{live_server.url}/call/harbour")
        assert desk.faults_of_access() == []
        server = desk.begin()
        server.send(type="progress", **server.progress | {"order": ORDER, "appointment": APPOINTMENT})
        expect(desk.page.locator("#appointment-card")).to_be_visible()
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert desk.faults_of_access() == []
        end = desk.page.get_by_role("button", name="End call")
        desk.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(end).to_be_in_viewport()
        small = """[...document.querySelectorAll("button, select, summary, a.button, input[type=text], label.choice")]
            .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 44).map((each) => each.id)"""
        assert desk.page.evaluate(small) == []
        still = "getComputedStyle(document.getElementById('state'), '::before').animationName"
        assert desk.page.evaluate(still) == "none"
        end.tap()
        desk.shows("The call has ended")
        assert desk.complaints == []


def test_the_page_is_small(caller: CallDesk) -> None:
    """Without livekit-client: as it comes over the wire, uncompressed."""
    sizes: list[int] = []
    caller.page.on("response", lambda answer: sizes.append(len(answer.body())))
    caller.page.reload()
    expect(caller.page.locator("#call[data-ready]")).to_be_attached()
    caller.page.wait_for_load_state("networkidle")
    assert len(sizes) > 10
    assert sum(sizes) < 100_000


def test_who_leaves_the_page_ends_the_call(caller: CallDesk, harbour: Organization, live_server: LiveServer) -> None:
    """By a request that outlives the page, for the socket may be gone."""
    call = make_call(make_agent(harbour), id=CALL, kind="browser", state="connected")
    caller.begin()
    caller.page.unroute_all()
    caller.page.goto(f"{live_server.url}/api/docs")
    soon(lambda: Call.objects.filter(pk=call.pk, state="completed", end_reason="ended_by_request").exists())


def test_a_tab_in_the_background_says_so_and_the_screen_stays_on(caller: CallDesk) -> None:
    page = caller.page
    page.context.grant_permissions(["microphone", "screen-wake-lock"])
    page.evaluate(KEEP_LOCKS)
    caller.begin()
    locks = "window.locks.map(({type, released}) => [type, released])"
    soon(lambda: page.evaluate(locks) == [["screen", False]])
    hide = """(isHidden) => {
        Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, arg=True)
    page.evaluate("window.locks[0].release()")  # as the browser does with a page that is not seen
    assert page.title() == "● In a call · Call Harbour · voiceapp"
    page.evaluate(hide, arg=False)
    assert page.title() == "Call Harbour · voiceapp"
    expect(page.locator("#notice")).to_contain_text("The call went on while this tab was in the background.")
    soon(lambda: page.evaluate(locks) == [["screen", True], ["screen", False]])
    page.get_by_role("button", name="End call").click()
    soon(lambda: page.evaluate(locks) == [["screen", True], ["screen", True]])
