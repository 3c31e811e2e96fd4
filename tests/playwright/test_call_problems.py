"""Every problem of the call page has its own words, which say what to do, and leaves no call behind."""

from __future__ import annotations

import json

import pytest
from django.contrib.sessions.models import Session
from django.contrib.staticfiles import finders
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, BrowserContext, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from voiceapp.console.call_page.ways import LIBRARY
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.tests.servers import free_port

from .call_pages import (
    CALL,
    MARKS,
    CallDesk,
    Refusal,
    browser,
    caller,
    context,
    harbour,
    open_call_page,
    openai,
    signed_in,
)

__all__ = ["browser", "caller", "context", "harbour", "openai", "signed_in"]

pytestmark = MARKS

REQUEST_ID = {"X-Request-ID": "4be1"}
# What getUserMedia rejects with where this machine cannot be brought to it.
REJECTING = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "{}"));"""


def begin(desk: CallDesk) -> None:
    desk.page.get_by_role("button", name="Call", exact=True).click()


# The microphone


def test_who_has_blocked_the_microphone_reads_how_to_allow_it(
    browser: Browser, signed_in: SetCookieParam, openai: OpenAISimulator, live_server: LiveServer
) -> None:
    with browser.new_context() as context:
        context.add_cookies([signed_in])
        desk = open_call_page(context, openai, f"{live_server.url}/call/harbour")
        begin(desk)
        desk.reads("The microphone is blocked for this site. Click the icon left of the address, allow Microphone")
        assert desk.server is not None
        assert desk.server.minted == 0
        desk.page.get_by_role("button", name="Type instead").click()
        desk.shows("Listening")
        desk.page.get_by_role("button", name="End call").click()
        desk.shows("The call has ended")


def test_a_microphone_that_cannot_be_had(caller: CallDesk) -> None:
    for error, words in (
        ("NotFoundError", "No microphone found. Plug one in or pick another device, or type instead."),
        ("NotReadableError", "Another program is using the microphone. Close it and try again."),
        ("TypeError", "The microphone cannot be used (TypeError)."),
    ):
        caller.page.evaluate(f"{REJECTING.format(error)} null")
        caller.page.locator("#begin").click()
        caller.reads(words)
        expect(caller.page.get_by_role("button", name="Try again")).to_be_visible()
        expect(caller.page.get_by_role("button", name="Type instead")).to_be_visible()
    forbidden = "document.featurePolicy.allowsFeature = () => false;"  # by the site whose frame the page is in
    caller.page.evaluate(f"{forbidden} {REJECTING.format('NotAllowedError')} null")
    caller.page.locator("#begin").click()
    caller.reads('The site around this call does not let it use the microphone. Its owner adds allow="microphone"')


def test_a_microphone_that_is_gone_is_replaced_by_the_browsers_own(caller: CallDesk) -> None:
    caller.page.evaluate("localStorage.setItem('voiceapp.call.audioinput', 'gone')")
    caller.page.reload()
    begin(caller)
    expect(caller.page.locator("#notice")).to_contain_text("The microphone that you chose is not there")
    caller.shows("Listening")
    assert caller.page.evaluate("localStorage.getItem('voiceapp.call.audioinput')") == ""


def test_a_microphone_taken_away_during_the_call(
    context: BrowserContext, openai: OpenAISimulator, live_server: LiveServer, harbour: Organization
) -> None:
    keep = """const listen = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (window.microphone = await listen(wanted));"""
    desk = open_call_page(context, openai, f"{live_server.url}/call/{harbour.slug}", script=keep)
    desk.begin()
    take_away = "window.microphone.getAudioTracks()[0].dispatchEvent(new Event('ended'))"
    desk.page.evaluate(take_away)
    expect(desk.page.locator("#notice")).to_contain_text("The microphone was taken away: another one is used now.")
    desk.page.evaluate(f"const last = window.microphone; {REJECTING.format('NotFoundError')} window.microphone = last;")
    desk.page.evaluate(take_away)
    desk.reads("The microphone was taken away. Plug it in or pick another device below; the call goes on")
    desk.shows("Listening")


def test_a_browser_that_cannot_make_calls_is_said_before_the_click_and_after_it(
    context: BrowserContext, openai: OpenAISimulator, live_server: LiveServer, harbour: Organization
) -> None:
    address = f"{live_server.url}/call/{harbour.slug}"
    desk = open_call_page(context, openai, address, script="delete Promise.withResolvers;")
    words = "This browser cannot make calls. Update it, or open this page in another one."
    desk.reads(words)
    begin(desk)
    desk.shows("The call failed")
    desk.reads(words)
    assert desk.server is not None
    assert desk.server.minted == 0


def test_a_page_that_is_not_secure_says_where_it_is(
    browser: Browser, signed_in: SetCookieParam, openai: OpenAISimulator, live_server: LiveServer, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    address = live_server.url.replace("localhost", "plain.example.com")
    with browser.new_context() as context:
        context.add_cookies([{**signed_in, "url": address}])
        desk = open_call_page(context, openai, f"{address}/call/harbour")
        desk.reads(
            f"Calls need a secure page. Open https://{address.removeprefix('http://')}/call/harbour, or use http://"
        )


# Our server


REFUSALS = (
    (Refusal(401), "You are signed out. Sign in again, then call."),
    (Refusal(403, {"detail": "CSRF Failed: CSRF token incorrect."}), "You are signed out. Sign in again"),
    (Refusal(403), "You have no right to call this agent. Ask an owner or manager"),
    (Refusal(403, {"message": "Your role (Kitchen) does not allow this."}), "Your role (Kitchen) does not allow this."),
    (Refusal(404), "You have no right to call this agent."),
    (Refusal(429, {}, {"Retry-After": "40"}), "Too many calls were started. Try again in 40 seconds."),
    (Refusal(429, {}, {"Retry-After": "1800"}), "Try again in 30 minutes."),
    (
        Refusal(429, {"error_code": "budget_used", "message": "No more calls today. Ring +49 30 23125000."}),
        "No more calls today. Ring +49 30 23125000.",
    ),
    (
        Refusal(500, {"message": "OpenAI returned 401 Unauthorized"}, REQUEST_ID),
        "is not available: OpenAI returned 401 Unauthorized. Try again in a minute. (Request 4be1)",
    ),
    (Refusal(503), "The voice service is not available. Try again in a minute."),
    (Refusal(503, {"code": "not_open", "message": "Nobody can take calls now."}), "Nobody can take calls now."),
    (Refusal(409, {"message": "The link was used."}), "The link was used."),
)


def test_a_call_that_the_server_refuses(caller: CallDesk) -> None:
    """One after the other on the same page, which can call again after each."""
    assert caller.server is not None
    for refusal, words in REFUSALS:
        caller.server.refuses_call.append(refusal)
        caller.page.locator("#begin").click()
        caller.reads(words)
        caller.shows("The call failed")
        assert caller.page.get_by_role("link", name="Sign in").is_visible() == ("signed out" in words)
    assert caller.faults_of_access() == []
    caller.page.get_by_role("button", name="Try again").click()
    caller.shows("Listening")
    expect(caller.page.get_by_role("alert")).to_be_hidden()


def test_a_session_that_ran_out(caller: CallDesk) -> None:
    """Our own server says so: the page is open for a day already."""
    caller.page.unroute_all()
    Session.objects.all().delete()
    begin(caller)
    caller.reads("You are signed out. Sign in again, then call.")
    link = caller.page.get_by_role("link", name="Sign in")
    assert link.get_attribute("href") == "/admin/login/?next=/call/harbour"


def test_a_server_that_cannot_be_reached(caller: CallDesk) -> None:
    caller.page.route("**/call/*/realtime", lambda route: route.abort())
    begin(caller)
    caller.reads("This server cannot be reached. Check your network, then try again.")


def test_a_fault_of_the_page_itself_is_said(caller: CallDesk) -> None:
    caller.page.evaluate("window.RTCPeerConnection = null")
    begin(caller)
    caller.reads("Something went wrong on this page. Reload it; if it happens again, try another way to call.")


@pytest.mark.skipif(finders.find(LIBRARY) is None, reason="no livekit-client here: make livekit-client")
def test_a_room_that_cannot_be_reached(caller: CallDesk, settings: Settings) -> None:
    """Nothing listens where it should be; then its program does not come either."""
    settings.LIVEKIT_HOST = f"ws://127.0.0.1:{free_port()}"
    settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = "key", "secret"
    session = {"callId": CALL, "livekitHost": settings.LIVEKIT_HOST, "token": "a.b.c"}
    caller.page.route("**/call/*/session", lambda route: route.fulfill(json={"session": session}))
    caller.page.goto(f"{caller.address}?way=room")
    caller.page.get_by_role("button", name="Test microphone").click()
    expect(caller.page.locator("[data-check=network]")).to_have_text(
        "✗ The server of the rooms cannot be reached from your network. Choose another way to call."
    )
    begin(caller)
    caller.reads("The voice provider cannot be reached from your network. Check the network or its firewall")
    expect(caller.page.get_by_role("button", name="Copy the facts for support")).to_be_visible()
    caller.page.route(f"**/{LIBRARY}", lambda route: route.abort())
    caller.page.reload()
    begin(caller)
    caller.reads("The room's program could not be loaded. Reload the page, or choose another way to call.")


# The provider


def test_an_expired_secret_is_minted_once_more_silently(caller: CallDesk) -> None:
    assert caller.server is not None
    caller.server.refuses_offer.append(Refusal(401, {"error_code": "unauthorized"}))
    server = caller.begin()
    assert server.minted == 2
    assert {"type": "end"} in server.received
    expect(caller.page.get_by_role("alert")).to_be_hidden()


def test_a_secret_that_expires_twice(caller: CallDesk) -> None:
    assert caller.server is not None
    caller.server.refuses_offer.extend([Refusal(401), Refusal(401)])
    begin(caller)
    caller.reads("The call ticket expired. Start again.")
    assert caller.server.minted == 2
    assert caller.server.received[-1] == {"type": "end"}


def test_an_offer_that_the_provider_refuses(caller: CallDesk) -> None:
    assert caller.server is not None
    refusal = Refusal(500, {"error_code": "provider_error", "message": "OpenAI returned 429 Too Many Requests"})
    caller.server.refuses_offer.append(refusal)
    begin(caller)
    caller.reads("The voice service is not available: OpenAI returned 429 Too Many Requests.")
    assert caller.server.received[-1] == {"type": "end"}


def test_a_network_that_blocks_calls(caller: CallDesk) -> None:
    assert caller.server is not None
    caller.server.has_candidates = False
    caller.page.clock.install()
    begin(caller)
    expect(caller.page.locator("#call[data-state=connecting]")).to_be_attached()
    forward_until_it_failed(caller)
    caller.reads("Your network blocks calls (UDP). Try another network, or another way to call.")
    caller.page.context.grant_permissions(["microphone", "clipboard-read", "clipboard-write"])
    caller.page.get_by_role("button", name="Copy the facts for support").click()
    expect(caller.page.locator("#notice")).to_have_text("The facts were copied.")
    facts = json.loads(caller.page.evaluate("navigator.clipboard.readText()"))
    assert (facts["code"], facts["callId"], facts["way"]) == ("network_blocks_calls", CALL, "realtime")


def test_an_agent_that_does_not_answer(caller: CallDesk) -> None:
    assert caller.server is not None
    caller.server.base_url = caller.server.openai.fault_url("stall=0")
    caller.page.clock.install()
    begin(caller)
    peer = "document.getElementById('call').way?.diagnose().then(facts => facts.connectionState)"
    while caller.page.evaluate(peer) != "connected":
        caller.page.wait_for_timeout(50)
    forward_until_it_failed(caller)
    caller.reads("The agent did not answer. Try again in a minute.")


def forward_until_it_failed(desk: CallDesk) -> None:
    for _ in range(20):
        desk.page.clock.run_for(2000)
        if desk.page.locator("#call[data-state=failed]").count():
            return
    raise AssertionError(desk.page.locator("#state").text_content())


LOST = "Connection lost. Trying again…"


def test_a_broken_connection_is_replaced_and_the_call_goes_on(caller: CallDesk) -> None:
    server = caller.begin()
    first = server.provider_call
    server.say("I am the first, and I would have gone on for a long time if nothing had come between us.")
    caller.shows("Speaking")
    server.refuses_another.append(None)  # there is no network yet
    caller.page.evaluate("connectionIs('failed')")
    caller.shows(LOST)
    caller.shows("Listening")
    assert server.provider_call != first
    assert [said["type"] for said in server.received] == ["joined", "joined"]
    assert 0 <= server.unheard_ms[0] < 60_000
    server.say("And I am the second.")
    expect(caller.page.get_by_role("log")).to_contain_text("And I am the second.", timeout=10_000)
    caller.page.get_by_label("Or type").fill("Two funghi")
    caller.page.keyboard.press("Enter")
    assert server.received[-1] == {"type": "say", "text": "Two funghi"}
    caller.page.evaluate("connectionIs('failed')")
    caller.reads("The connection was lost, and did not come back. Check your network, then call again.")
    caller.shows("The call has ended")
    assert server.received[-1] == {"type": "end"}


def test_a_connection_that_comes_back_by_itself_is_not_replaced(caller: CallDesk) -> None:
    server = caller.begin()
    caller.page.evaluate("connectionIs('disconnected')")
    caller.shows(LOST)
    caller.page.evaluate("connectionIs('connected')")
    caller.shows("Listening")
    assert caller.page.evaluate("peers.length") == 1
    server.say("I am still here.")
    expect(caller.page.get_by_role("log")).to_contain_text("I am still here.", timeout=10_000)


def test_a_connection_that_is_not_replaced_says_why(caller: CallDesk) -> None:
    server = caller.begin()
    over = {"error_code": "call_over", "message": "This call is over. Call again."}
    server.refuses_another.append(Refusal(409, over))
    caller.page.evaluate("connectionIs('failed')")
    caller.reads("This call is over. Call again.")
    caller.shows("The call has ended")
    assert server.received[-1] == {"type": "end"}


def test_a_provider_that_ends_the_call_is_called_again(caller: CallDesk) -> None:
    server = caller.begin()
    first = server.provider_call
    server.refuses_another.append(None)  # there is no network yet
    server.hang_up()
    caller.shows(LOST)
    caller.shows("Listening")
    assert server.provider_call != first


def test_a_provider_that_is_gone_in_mid_call(caller: CallDesk) -> None:
    server = caller.begin()
    server.refuses_another.append(Refusal(404))
    server.hang_up()
    caller.reads("The voice provider ended the call unexpectedly. Call again")
    caller.shows("The call has ended")
    assert server.received[-1] == {"type": "end"}


def test_the_server_says_why_it_ended_the_call(caller: CallDesk) -> None:
    server = caller.begin()
    server.end("This call could not be followed, so it was ended. Call again.")
    caller.reads("This call could not be followed, so it was ended. Call again.")
    caller.shows("The call has ended")


def test_a_socket_that_breaks_is_opened_again_and_the_call_goes_on(caller: CallDesk) -> None:
    server = caller.begin()
    server.break_socket()
    server.say("I am still here.")
    expect(caller.page.get_by_role("log")).to_contain_text("I am still here.", timeout=10_000)
    server.send(type="progress", **server.progress | {"submitted": {"number": 7, "total": "9.50", "currency": "EUR"}})
    expect(caller.page.locator("#order-submitted")).to_contain_text("Order 7 was sent: 9.50 EUR")
    assert [said["type"] for said in server.received] == ["joined"]


def test_no_network_in_mid_call_is_said(caller: CallDesk, context: BrowserContext) -> None:
    caller.begin()
    context.set_offline(True)
    expect(caller.page.locator("#notice")).to_contain_text(
        "You are offline. The call goes on when the network is back."
    )
    context.set_offline(False)
    expect(caller.page.locator("#notice")).to_be_hidden()
    caller.shows("Listening")


def test_two_tabs_are_not_in_a_call_at_once(
    caller: CallDesk, context: BrowserContext, openai: OpenAISimulator, live_server: LiveServer
) -> None:
    caller.begin()
    other = open_call_page(context, openai, f"{live_server.url}/call/harbour")
    begin(other)
    other.reads("You are in a call in another tab. End it there, then try again.")
    caller.page.bring_to_front()
    caller.page.get_by_role("button", name="End call").click()
    caller.shows("The call has ended")
    other.page.bring_to_front()
    other.page.get_by_role("button", name="Try again").click()
    other.shows("Listening")


def test_markup_in_what_is_said_stays_text(caller: CallDesk) -> None:
    markup = "<img src=x onerror=alert(1)><b>bold</b>"
    server = caller.begin()
    caller.page.get_by_label("Or type").fill(markup)
    caller.page.keyboard.press("Enter")
    server.say(f"You said {markup}")
    order = {"lines": [{"quantity": 1, "item": markup, "size": "", "modifiers": [], "note": "", "price": "1.00"}]}
    server.send(type="progress", **server.progress | {"order": {**order, "total": "1.00", "currency": "EUR"}})
    log = caller.page.get_by_role("log")
    expect(log.locator("[data-speaker=agent]")).to_contain_text(markup, timeout=10_000)
    expect(log.locator("[data-speaker=caller]")).to_contain_text(markup)
    expect(caller.page.locator("#order-lines")).to_contain_text(markup)
    assert caller.page.locator("#call img, #call b").count() == 0
    assert caller.complaints == []
