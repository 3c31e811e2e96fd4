"""Celery tasks of the carriers, LiveKit and VAPI. Each may be lost or run twice: the truth is in the database."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.conf import settings

from recordings.services.bridge import end_lost_recordings
from recordings.services.page import end_lost_page_recordings
from recordings.services.reconciling import reconcile_recordings
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.events.refusals import purge_refusals
from telephony.livekit.reconciliation import reconcile_rooms
from telephony.replays.models import ReplayRun, replay_runs
from telephony.replays.replay import LONGEST_S as LONGEST_REPLAY_S
from telephony.scenarios.models import ScenarioRun, scenario_runs
from telephony.scenarios.only_run import only_run
from telephony.twilio.numbers.services import check_numbers
from telephony.twilio.services.call_tokens import forget_call_tokens
from telephony.twilio.services.lost_calls import close_lost_calls
from telephony.twilio.transfers.advance import advance, advance_all
from telephony.twilio.voicemail.retention import remove_old_voicemail
from telephony.vapi.reconciliation import reconcile_vapi_calls
from voiceapp.core.jobs.retention import purge_jobs
from voiceapp.providers.errors import ProviderError


@shared_task(name="telephony.tasks.process_events", expires=60)
def process_events(*sources: str) -> int:
    """After an event of a source arrived, and every few seconds for all: retries, and what a lost wake-up left."""
    return inbox.process_due(sources or None)


@shared_task(name="telephony.tasks.purge_inbox", expires=3000)
def purge_inbox() -> int:
    """Every hour: delete old events that were processed, and those that were refused."""
    return purge_jobs(ProviderEvent) + purge_refusals()


# Longer than any run; its message may come again meanwhile, and then finds the run leased.
LONGEST_RUN_S = 600


@shared_task(
    name="telephony.tasks.run_scenarios", expires=60, soft_time_limit=LONGEST_RUN_S, time_limit=LONGEST_RUN_S + 60
)
def run_scenarios(*targets: str) -> int:
    """After runs were started, and every 15 s for what a lost wake-up or a killed process left.

    Unless this machine is at it: an AI provider that hangs must not keep all processes of a worker waiting.
    """
    with only_run() as is_ours:
        return scenario_runs.process_due() if is_ours else 0


@shared_task(
    name="telephony.tasks.run_replays",
    expires=60,
    soft_time_limit=LONGEST_REPLAY_S + 120,
    time_limit=LONGEST_REPLAY_S + 180,
)
def run_replays(*targets: str) -> int:
    """After a replay was started, and every 15 s, as scenarios are run. They take as long as the calls did."""
    with only_run() as is_ours:
        return replay_runs.process_due() if is_ours else 0


@shared_task(name="telephony.tasks.purge_scenario_runs", expires=3000)
def purge_scenario_runs() -> int:
    """Every hour: delete the results of old runs and replays."""
    return purge_jobs(ScenarioRun) + purge_jobs(ReplayRun)


@shared_task(name="telephony.tasks.reap_lost_calls", expires=25)
def reap_lost_calls() -> int:
    """Every 30 s: close the calls whose process is gone, end their recordings, and remove credentials of those over."""
    closed = close_lost_calls()
    end_lost_recordings()
    end_lost_page_recordings()
    forget_call_tokens()
    return closed


@shared_task(name="telephony.tasks.advance_transfer", expires=30)
def advance_transfer(transfer_id: str) -> None:
    """After something happened to a transfer: call the next person, or hang up who is not wanted any more."""
    advance(UUID(transfer_id))


@shared_task(name="telephony.tasks.advance_transfers", expires=10)
def advance_transfers() -> int:
    """Every 5 s: give up phones that nobody answers, and do what a lost wake-up or a killed process left."""
    return advance_all()


@shared_task(name="telephony.tasks.reconcile_rooms", expires=5)
def reconcile_calls_in_rooms() -> int:
    """Every 5 s: reconcile live calls with LiveKit's rooms."""
    return reconcile_rooms()


@shared_task(name="telephony.tasks.catch_up_with_rooms", expires=60)
def catch_up_with_rooms() -> int:
    """When a web process starts: reconcile every room, for LiveKit dropped its events while none responded."""
    return reconcile_rooms(is_everything=True) + reconcile_recordings()


@shared_task(name="telephony.tasks.reconcile_recordings", expires=25)
def reconcile_recordings_of_rooms() -> int:
    """Every 30 s: reconcile recordings with LiveKit."""
    return reconcile_recordings()


@shared_task(name="telephony.tasks.check_phone_numbers", expires=600)
def check_phone_numbers() -> int:
    """Every 10 min: compare our numbers with Twilio's; how many there are. A failure is kept for the admin."""
    if not settings.TWILIO_ACCOUNT_SID or not settings.TWILIO_AUTH_TOKEN:
        return 0
    try:
        return len(check_numbers().numbers)
    except ProviderError:
        return 0


@shared_task(name="telephony.tasks.remove_old_voicemail", expires=3000)
def remove_voicemail_by_age() -> int:
    """Every hour: remove the messages that are older than their organizations keep them."""
    return remove_old_voicemail()


@shared_task(name="telephony.tasks.reconcile_vapi_calls", expires=25)
def reconcile_calls_at_vapi() -> int:
    """Every 30 s: request the reports of VAPI's calls that no webhook has brought."""
    return reconcile_vapi_calls()
