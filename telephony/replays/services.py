"""Starts replays of a call and carries them out."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from agents.configuration.models import Agent, AgentVersion, Persona
from sessions.calls.models import Call
from telephony.scenarios.services import VERSION_DELETED
from voiceapp.core.errors import ApplicationError
from voiceapp.core.jobs.long_jobs import extended_lease
from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

from .caller_audio import recording_of, utterances_of_call
from .comparison import figures_of_call, figures_of_replay, same_result
from .models import ReplayRun, replay_runs
from .replay import Replayed, replay

Target, Outcome = ReplayRun.Target, ReplayRun.Outcome
# Of a call; older ones are deleted.
MOST_KEPT = 20
LONGEST_REASON = 300


class NoReplay(ApplicationError):
    """The call cannot be replayed; the sentence says why."""


def why_no_replay(call: Call) -> str:
    """In a sentence; empty if it can be replayed."""
    if call.is_live:
        return _("The call is in progress. Replay it when it is over.")
    if call.agent is None:
        return _("The agent of this call is deleted: there is nobody to say it to.")
    return "" if recording_of(call) else _("This call has no stored recording.")


def start_replay(call: Call, version: AgentVersion | None, *, by: str) -> tuple[ReplayRun, bool]:
    """Against the version, or the draft. False: another one of this call waits, and is returned. Raises NoReplay."""
    if why := why_no_replay(call):
        raise NoReplay(why)
    target = Target.DRAFT if version is None else Target.VERSION
    waiting = ReplayRun.objects.filter(call=call, state=ReplayRun.State.WAITING)
    try:
        with transaction.atomic():
            run, is_new = waiting.get_or_create(
                defaults={
                    "call": call,
                    "target": target,
                    "version": version,
                    "partition_key": str(call.organization_id),
                    "started_by": by,
                }
            )
    except IntegrityError:
        return waiting.get(), False
    replay_runs.wake_up_on_commit([target])
    return run, is_new


def run_replay(run: ReplayRun) -> None:
    """The handler of the queue. Nothing that the agent or the AI provider does makes it run again."""
    call = Call.objects.select_related("agent__organization", "organization").filter(pk=run.call_id).first()
    if call is None:
        return
    with extended_lease(replay_runs, run):
        try:
            found = _carried_out(run, call)
        except (ApplicationError, ProviderError) as exc:
            found = {"outcome": Outcome.BROKEN, "reason": str(exc)[:LONGEST_REASON]}
        _mine(run).update(**found)
    kept = list(ReplayRun.objects.filter(call=call).order_by("-id").values_list("pk", flat=True)[:MOST_KEPT])
    ReplayRun.objects.filter(call=call).exclude(pk__in=kept).exclude(state=ReplayRun.State.WAITING).delete()


def _carried_out(run: ReplayRun, call: Call) -> dict[str, object]:
    """What is to be written into the row."""
    agent, persona = call.agent, _persona(run, call.agent)
    if agent is None or persona is None:
        raise NoReplay(VERSION_DELETED)
    utterances = utterances_of_call(call)
    _mine(run).update(utterances=len(utterances), said=0)
    replayed = replay(agent, persona, utterances, keep_said=lambda count: bool(_mine(run).update(said=count)))
    figures = figures_of_replay(replayed)
    is_same = same_result(figures_of_call(call), figures)
    return {
        "outcome": Outcome.SAME if is_same else Outcome.DIFFERENT,
        "reason": _faults(replayed)[:LONGEST_REASON],
        "figures": figures.as_json(),
        "lines": [{"speaker": each.speaker.value, "text": each.text} for each in replayed.lines],
        "said": replayed.said,
    }


def _persona(run: ReplayRun, agent: Agent | None) -> Persona | None:
    return agent if run.target == Target.DRAFT else run.version


def _faults(replayed: Replayed) -> str:
    return KeptText("A tool broke off: %(fault)s", fault="; ".join(replayed.faults)) if replayed.faults else ""


def _mine(run: ReplayRun) -> QuerySet[ReplayRun]:
    """The row, unless another worker has taken it over, or it was deleted with its call."""
    return ReplayRun.objects.filter(pk=run.pk, attempts=run.attempts, state=ReplayRun.State.WAITING)
