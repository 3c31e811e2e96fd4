"""The calls that VAPI played are deleted there with a caller's everything; the simulator is as strict as VAPI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from recordings.models import Recording
from sessions.calls.models import Call
from telephony.caller_requests.deleting import retry_deletion, start_deletion
from telephony.caller_requests.models import CallerRequest
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.vapi.legs import open_leg
from telephony.vapi.models import VapiLeg
from voiceapp.providers.vapi.client import VapiClient
from voiceapp.simulators.vapi import DEFAULT_ASSISTANT_ID, VapiSimulator
from voiceapp.simulators.vapi.tests.caller import KEY
from voiceapp.simulators.vapi.tests.running import running_vapi

from .conftest import NAME, WORD
from .test_deleting import dump, signs_in, work

pytestmark = pytest.mark.django_db(transaction=True)
State = CallerRequest.State


@pytest.fixture
def simulator(settings: Settings) -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        settings.VAPI_API_KEY, settings.VAPI_BASE_URL = KEY, running.base_url
        yield running


def played_by_vapi(call: Call) -> str:
    """A call at VAPI, and its recording that is still to be fetched. Returns VAPI's id."""
    vapi_id = VapiClient.from_settings().create_call(DEFAULT_ASSISTANT_ID, name=f"{NAME} {WORD}").id
    open_leg(call.pk, vapi_id)
    Recording.objects.create(call=call, source=Recording.Source.VAPI, external_id=vapi_id, state="failed")
    return vapi_id


def report(vapi_id: str) -> None:
    """VAPI's report of the call, which waits for a worker."""
    said = {"role": "user", "message": f"{NAME} plays the {WORD}.", "secondsFromStart": 1}
    fields = {"type": "end-of-call-report", "call": {"id": vapi_id}, "artifact": {"messages": [said]}}
    inbox.store("vapi", dedup_key=f"report {vapi_id}", kind="end-of-call-report", partition_key=vapi_id, fields=fields)


def delete(request: CallerRequest) -> CallerRequest:
    if request.state == State.OPEN:
        start_deletion(request, by="alice")
    else:
        retry_deletion(request)
    work()
    request.refresh_from_db()
    return request


def test_the_callers_calls_are_deleted_at_vapi_and_nobody_elses(
    request_of_caller: CallerRequest, call: Call, others_call: Call, simulator: VapiSimulator
) -> None:
    parts = [played_by_vapi(call), played_by_vapi(call)]
    other = played_by_vapi(others_call)
    VapiClient.from_settings().delete_call(parts[0])  # by hand, at VAPI
    report(parts[1])
    request = delete(request_of_caller)
    assert request.state == State.DELETED, request.waits_for
    assert set(simulator.calls) == {other}
    assert list(VapiLeg.objects.values_list("vapi_id", flat=True)) == [other]
    assert signs_in(dump()) == set()


@pytest.mark.parametrize("fault", ["refuse=503", "refuse=401", "bad_json"])
def test_it_waits_while_vapi_does_not_delete(
    request_of_caller: CallerRequest, call: Call, simulator: VapiSimulator, settings: Settings, fault: str
) -> None:
    vapi_id = played_by_vapi(call)
    settings.VAPI_BASE_URL = f"{simulator.base_url}/fault/{fault}"
    request = delete(request_of_caller)
    assert (request.state, request.waits_for.partition(":")[0]) == (State.DELETING, "vapi")
    assert Call.objects.filter(pk=call.pk).exists()
    assert NAME not in request.waits_for
    settings.VAPI_BASE_URL = simulator.base_url
    assert delete(request).state == State.DELETED
    assert vapi_id not in simulator.calls


def test_a_report_that_comes_after_the_deletion_leaves_no_words(
    request_of_caller: CallerRequest, call: Call, simulator: VapiSimulator
) -> None:
    vapi_id = played_by_vapi(call)
    delete(request_of_caller)
    report(vapi_id)
    inbox.process_due(["vapi"])
    assert ProviderEvent.objects.get().state == ProviderEvent.State.DONE
    assert signs_in(dump()) == set()
