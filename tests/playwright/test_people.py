"""A person is invited, makes an account, sets up the second factor that the organization wants, and starts to work."""

from __future__ import annotations

import base64

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django_otp.oath import totp
from playwright.sync_api import expect

from agents.invitations.links import make_link
from agents.invitations.services import invite
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.two_factor.models import TwoFactor
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]


@pytest.mark.parametrize("desk", ["390 dark"], indirect=True)
def test_an_invited_person_gets_to_work(desk: Desk, demo: Demo) -> None:
    Organization.objects.filter(pk=demo.organization.pk).update(two_factor_roles=["manager"])
    alice = User.objects.get(username="alice")
    invitation = invite(demo.organization, email="bob@example.com", role=Role.MANAGER, by=alice)
    desk.page.context.clear_cookies()
    page = desk.open(make_link(invitation).removeprefix(settings.PUBLIC_BASE_URL))
    assert desk.faults_of_access() == []
    page.get_by_label("First name").fill("Bob")
    page.get_by_label("Password *", exact=True).fill("four unlikely words together")
    page.get_by_label("Password, once more").fill("four unlikely words together")
    page.get_by_role("button", name="Make the account and join").click()
    expect(page.get_by_role("heading", name="Set up two-factor sign-in")).to_be_visible()
    assert desk.faults_of_access() == []
    assert page.locator("svg.va-qr").is_visible()
    secret = TwoFactor.objects.get().secret
    page.get_by_label("Code").fill(f"{totp(base64.b32decode(secret)):06}")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(10)
    assert desk.faults_of_access() == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(f"{desk.address}/admin/")  # a manager sees the dashboard first
    assert desk.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
