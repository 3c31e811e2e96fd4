"""The app of carriers and media."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelephonyConfig(AppConfig):
    name = "telephony"
    verbose_name = _("Telephony")

    def ready(self) -> None:
        from agents.configuration.readiness import MORE_CHECKS
        from agents.greetings.services import greetings
        from sessions.alerts.kinds import AlertKind
        from sessions.alerts.rules.registry import FINDERS
        from sessions.messages.outbox import outbox
        from telephony.caller_requests import deleting as caller_requests
        from telephony.events.inbox import inbox
        from telephony.events.replaying import replays, through_the_inbox
        from telephony.live.greeting_maker import make_greeting
        from telephony.live.providers import PROVIDERS
        from telephony.livekit.events import process_livekit_event
        from telephony.replays.models import ReplayRun, replay_runs
        from telephony.replays.services import run_replay
        from telephony.scenarios.models import ScenarioRun, scenario_runs
        from telephony.scenarios.readiness import check_scenarios
        from telephony.scenarios.services import run_scenario
        from telephony.twilio import webhook_notes
        from telephony.twilio.numbers.alerting import find_numbers_elsewhere
        from telephony.twilio.readiness import check_number
        from telephony.twilio.recordings import process_twilio_event
        from telephony.twilio.voicemail import jobs as voicemail_jobs
        from telephony.vapi.events import process_vapi_event, register_replays

        MORE_CHECKS.extend((check_number, check_scenarios))
        for target in ScenarioRun.Target:
            scenario_runs.register(target, run_scenario)
        for replay_target in ReplayRun.Target:
            replay_runs.register(replay_target, run_replay)
        FINDERS[AlertKind.NUMBER] = find_numbers_elsewhere
        outbox.register(caller_requests.TOPIC, caller_requests.delete_caller)
        for provider in PROVIDERS:
            greetings.register(provider, make_greeting)
        inbox.register("livekit", process_livekit_event)
        voicemail_jobs.register_all()
        inbox.register("twilio", process_twilio_event)
        inbox.register("vapi", process_vapi_event)
        replays["livekit", ""] = through_the_inbox
        webhook_notes.register_all()
        register_replays()
