"""An agent transfers its caller: a person's phone is called into the room."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.rooms.models import Participant, RoomToken
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.tokens import Role, issue_room_token
from sessions.rooms.services.transfers import PersonNotCalled, call_person, callee_is_there
from voiceapp.simulators.livekit.phones import TRUNK
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

MIA, TOM = "+493012345678", "+493012345679"


@pytest.fixture(autouse=True)
def trunk(settings: Settings) -> None:
    settings.LIVEKIT_SIP_TRUNK_ID = TRUNK
    settings.TRANSFER_COUNTRIES = ["DE"]


@pytest.fixture
def mia(harbour: Organization) -> TransferTarget:
    return TransferTarget.objects.create(
        organization=harbour, slug="mia", name="Mia", number=MIA, department="Front desk"
    )


@pytest.fixture
def tom(harbour: Organization, mia: TransferTarget) -> TransferTarget:
    return TransferTarget.objects.create(
        organization=harbour, slug="tom", name="Tom", number=TOM, department="Front desk", position=1
    )


def dialed(livekit: RunningLiveKit) -> list[tuple[str, str]]:
    requests = livekit.do(lambda backend: list(backend.phones.dialed))
    return [(each.sip_call_to, each.participant_identity) for each in requests]


def test_the_targets_phone_is_called_into_the_room(call: Call, livekit: RunningLiveKit, tom: TransferTarget) -> None:
    identity = call_person(call.pk, "tom")
    assert dialed(livekit) == [(TOM, identity)]
    assert call.room_tokens.filter(identity=identity).exists()


def test_of_a_department_the_first_one_is_called(call: Call, livekit: RunningLiveKit, tom: TransferTarget) -> None:
    identity = call_person(call.pk, "front-desk")
    assert dialed(livekit) == [(MIA, identity)]


@pytest.mark.parametrize("slug", ["", "nobody", "+4930999", MIA])
def test_the_model_names_a_target_and_no_number(
    call: Call, livekit: RunningLiveKit, mia: TransferTarget, slug: str
) -> None:
    with pytest.raises(PersonNotCalled):
        call_person(call.pk, slug)
    assert dialed(livekit) == []


def _without_trunk(settings: Settings, call: Call) -> None:
    settings.LIVEKIT_SIP_TRUNK_ID = ""


def _with_a_trunk_that_livekit_does_not_know(settings: Settings, call: Call) -> None:
    settings.LIVEKIT_SIP_TRUNK_ID = "ST_other"


def _abroad(settings: Settings, call: Call) -> None:
    settings.TRANSFER_COUNTRIES = ["FR"]
    TransferTarget.objects.update(number="+393331234567")


def _over(settings: Settings, call: Call) -> None:
    end_room_call(call, reason=EndReason.ENDED_BY_REQUEST)


def _too_often(settings: Settings, call: Call) -> None:
    settings.MAX_TRANSFER_CALLS_PER_DAY = 1
    record_event(call.pk, "transfer_attempt", {"target": "tom"})


@pytest.mark.parametrize(
    "spoil", [_without_trunk, _with_a_trunk_that_livekit_does_not_know, _abroad, _over, _too_often]
)
def test_the_caller_is_told_when_nobody_can_be_called(
    call: Call,
    livekit: RunningLiveKit,
    mia: TransferTarget,
    settings: Settings,
    spoil: Callable[[Settings, Call], None],
) -> None:
    spoil(settings, call)
    with pytest.raises(PersonNotCalled, match="call us by phone"):
        call_person(call.pk, "mia")
    assert dialed(livekit) == []


@pytest.mark.parametrize(
    ("role", "has_left", "is_there"),
    [(Role.CALLEE, False, True), (Role.CALLEE, True, False), (Role.MEMBER, False, False)],
)
def test_the_callee_can_take_the_call_while_in_its_room(
    call: Call, role: RoomToken.Role, has_left: bool, is_there: bool
) -> None:
    bob, now = issue_room_token(call, subject="user_bob", role=role, name="Bob"), timezone.now()
    Participant.objects.create(
        call=call, sid="PA_1", identity=bob.identity, joined_at=now, left_at=now if has_left else None
    )
    assert callee_is_there(call.pk) is is_there
