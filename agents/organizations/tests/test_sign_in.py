"""Passwords cannot be guessed without end, and attempts by others lock no user out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from agents.organizations.sign_in import KNOWN_BROWSER, describe_wait, user_digest
from voiceapp.core.limits import counting
from voiceapp.core.limits.tests.conftest import NOW, in_memory, on_redis, redis_is_down
from voiceapp.core.limits.tests.crowd import at_once

__all__ = ["in_memory", "on_redis", "redis_is_down"]

LOGIN = "/admin/login/"
CHANGE = "/admin/password_change/"
PASSWORD = "correct horse battery staple"
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(params=["in_memory", pytest.param("on_redis", marks=pytest.mark.servers), "redis_is_down"])
def counted(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def fast_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def alice(settings: Settings, fast_hashes: None) -> User:
    return User.objects.create_superuser("alice", password=PASSWORD)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def sign_in(password: str, name: str = "alice", *, address: str = HOME, client: Client | None = None) -> int:
    """The status: 302 is in, 200 a wrong password, 429 too many."""
    response = (client or Client()).post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address)
    return response.status_code


@pytest.mark.usefixtures("counted", "clock")
def test_after_five_wrong_passwords_none_is_looked_at() -> None:
    assert [sign_in(f"wrong {number}") for number in range(5)] == [200] * 5
    assert [sign_in("wrong"), sign_in(PASSWORD)] == [429, 429]


@pytest.mark.usefixtures("clock")
def test_the_page_says_how_long_to_wait() -> None:
    for _ in range(5):
        sign_in("wrong")
    response = Client().post(LOGIN, {"username": "alice", "password": PASSWORD}, REMOTE_ADDR=HOME)
    text = response.content.decode()
    wait = re.search(r"Too many attempts to sign in. Try again in (\d+ minutes?|\d+ seconds?)\.", text)
    assert response.status_code == 429
    assert wait
    assert wait[1] == describe_wait(int(response["Retry-After"]))
    assert 'name="password"' in text


def test_after_the_wait_the_right_password_signs_in(clock: Any) -> None:
    for _ in range(6):
        sign_in("wrong")
    response = Client().post(LOGIN, {"username": "alice", "password": PASSWORD}, REMOTE_ADDR=HOME)
    clock.shift(int(response["Retry-After"]))
    assert sign_in(PASSWORD) == 302


def test_attempts_while_one_waits_do_not_make_the_wait_longer(clock: Any) -> None:
    def wait_s() -> int:
        while sign_in("wrong") == 200:
            pass
        return int(Client().post(LOGIN, {"username": "alice", "password": "x"}, REMOTE_ADDR=HOME)["Retry-After"])

    clock.shift(wait_s())  # to the beginning of a window
    first = wait_s()
    clock.shift(10)
    for _ in range(20):
        sign_in("wrong")
    assert wait_s() == first - 10


@pytest.mark.usefixtures("clock")
def test_right_passwords_are_not_counted() -> None:
    for _ in range(4):
        assert sign_in("wrong") == 200
    assert [sign_in(PASSWORD) for _ in range(40)] == [302] * 40
    assert [sign_in("wrong"), sign_in("wrong")] == [200, 429]


@pytest.mark.usefixtures("clock")
def test_who_guesses_from_elsewhere_does_not_keep_the_user_out() -> None:
    assert Counter(sign_in("wrong", address=ELSEWHERE) for _ in range(60)) == {200: 5, 429: 55}
    for last in range(50):
        sign_in("wrong", address=f"192.0.2.{last}")
    assert sign_in(PASSWORD) == 302


@pytest.mark.usefixtures("clock")
def test_who_guesses_from_the_users_own_address_does_not_keep_a_known_browser_out() -> None:
    browser = Client()
    assert sign_in(PASSWORD, client=browser) == 302
    browser.post("/admin/logout/")
    for number in range(60):
        sign_in("wrong", name=f"user{number}" if number % 2 else "alice")
    assert sign_in(PASSWORD) == 429
    assert sign_in(PASSWORD, client=browser) == 302


@pytest.mark.usefixtures("clock")
def test_a_known_browser_is_throttled_as_well() -> None:
    browser = Client()
    sign_in(PASSWORD, client=browser)
    assert [sign_in("wrong", client=browser) for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.usefixtures("clock")
def test_who_is_signed_in_already_cannot_guess_the_passwords_of_others() -> None:
    User.objects.create_user("charlie", password=PASSWORD, is_staff=True)
    charlie = Client()
    assert sign_in(PASSWORD, name="charlie", client=charlie) == 302
    assert [sign_in("wrong", client=charlie) for _ in range(6)] == [200] * 5 + [429]
    assert KNOWN_BROWSER in charlie.cookies


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("cookie", ["", "x", "e30:1abcde:signature", "\x00"])
def test_a_cookie_that_we_did_not_sign_changes_nothing(cookie: str) -> None:
    client = Client()
    client.cookies[KNOWN_BROWSER] = cookie
    assert [sign_in("wrong", client=client) for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.usefixtures("clock")
def test_a_browser_is_known_for_its_user_alone() -> None:
    User.objects.create_superuser("bob", password=PASSWORD)
    browser = Client()
    sign_in(PASSWORD, name="bob", client=browser)
    browser.post("/admin/logout/")
    for _ in range(5):
        sign_in("wrong")
    assert sign_in(PASSWORD, client=browser) == 429


def test_the_cookie_is_out_of_reach_of_scripts_and_outlives_a_change_of_the_key(settings: Settings) -> None:
    browser = Client()
    sign_in(PASSWORD, client=browser)
    cookie = browser.cookies[KNOWN_BROWSER]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    browser.cookies.pop("sessionid")
    for _ in range(5):
        sign_in("wrong")
    assert sign_in(PASSWORD, client=browser) == 302


@pytest.mark.usefixtures("clock")
def test_one_address_cannot_try_one_password_on_many_users(settings: Settings) -> None:
    settings.LIMIT_SIGN_IN_ADDRESS = "10/15m"
    assert Counter(sign_in("wrong", name=f"user{number}") for number in range(30)) == {200: 10, 429: 20}
    assert sign_in(PASSWORD, address=ELSEWHERE) == 302


@pytest.mark.usefixtures("clock")
def test_a_password_that_was_not_looked_at_counts_nowhere(settings: Settings) -> None:
    settings.LIMIT_SIGN_IN_ADDRESS = "3/15m"
    assert [sign_in("wrong", name=name) for name in ("a", "b", "c")] == [200] * 3
    assert [sign_in("wrong") for _ in range(20)] == [429] * 20
    settings.LIMIT_SIGN_IN_ADDRESS = "1000/15m"
    assert [sign_in("wrong") for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.usefixtures("clock")
def test_spellings_of_a_name_and_names_that_do_not_exist_are_counted_the_same() -> None:
    names = ["alice", "ALICE", " alice ", "Alice", "\uff41lice"]
    assert [sign_in("wrong", name=name) for name in names] == [200] * 5
    assert sign_in("wrong", name="aLiCe") == 429
    assert [sign_in("wrong", name="nobody", address=ELSEWHERE) for _ in range(6)] == [200] * 5 + [429]
    assert len(user_digest("x" * 100_000)) == 32


@pytest.mark.usefixtures("clock")
def test_behind_our_proxy_the_address_is_what_it_saw(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1

    def via(forwarded: str) -> int:
        sent = {"username": "alice", "password": "wrong"}
        return Client().post(LOGIN, sent, headers={"X-Forwarded-For": forwarded}).status_code

    assert [via(f"6.6.6.{number}, {ELSEWHERE}") for number in range(6)] == [200] * 5 + [429]
    assert via(f"{ELSEWHERE}, {HOME}") == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("counted", "clock")
def test_of_many_at_once_no_more_than_the_limit_are_looked_at(settings: Settings) -> None:
    statuses = at_once(32, lambda: sign_in("wrong"))
    assert Counter(statuses) == {200: 5, 429: 27}


@pytest.mark.usefixtures("clock")
def test_the_page_that_changes_a_password_is_throttled() -> None:
    thief = Client()
    thief.force_login(User.objects.get())

    def change(old: str, new: str = "another horse battery", again: str = "") -> int:
        sent = {"old_password": old, "new_password1": new, "new_password2": again or new}
        return thief.post(CHANGE, sent, REMOTE_ADDR=HOME).status_code

    # The right one with new ones that differ is no guess.
    assert [change(PASSWORD, again="different") for _ in range(10)] == [200] * 10
    assert [change("wrong") for _ in range(5)] == [200] * 5
    assert [change("wrong"), change(PASSWORD)] == [429, 429]
    response = thief.post(CHANGE, {"old_password": "wrong"}, REMOTE_ADDR=HOME)
    assert "Too many attempts to sign in. Try again in " in response.content.decode()
    assert int(response["Retry-After"]) > 0
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.usefixtures("clock")
def test_sign_in_and_change_of_password_are_counted_together() -> None:
    for _ in range(5):
        sign_in("wrong")
    client = Client()
    client.force_login(User.objects.get())
    assert client.post(CHANGE, {"old_password": PASSWORD}, REMOTE_ADDR=HOME).status_code == 429


@pytest.mark.usefixtures("clock")
def test_a_login_page_under_any_address_of_the_admin_is_the_same_one() -> None:
    for _ in range(5):
        sign_in("wrong")
    sent = {"username": "alice", "password": PASSWORD, "next": "/admin/agents/"}
    assert Client().post(f"{LOGIN}?next=/admin/agents/", sent, REMOTE_ADDR=HOME).status_code == 429


def test_a_command_without_a_page_is_not_throttled() -> None:
    assert [Client().login(username="alice", password="wrong") for _ in range(10)] == [False] * 10
    assert Client().login(username="alice", password=PASSWORD)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"), (0.2, "1 second"), (1, "1 second"), (59.5, "60 seconds"), (90, "90 seconds"),
        (91, "2 minutes"), (120, "2 minutes"), (121, "3 minutes"), (900, "15 minutes"), (5400, "90 minutes"),
        (5401, "2 hours"), (86_400, "24 hours"),
    ],
)  # fmt: skip
def test_a_wait_is_described_for_a_person(seconds: float, words: str) -> None:
    assert describe_wait(seconds) == words


@pytest.mark.usefixtures("redis_is_down")
def test_where_nothing_can_count_no_password_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OperationalError("connection refused")

    with monkeypatch.context() as away:
        away.setattr(counting, "count_in_database", refuse)
        assert sign_in(PASSWORD) == 429
    assert sign_in(PASSWORD) == 302
