"""A run that finishes what is due. One at a time on each machine: the other processes of a worker stay free."""

from __future__ import annotations

import structlog
from django.conf import settings

from sessions.messages.outbox import outbox
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.kept_texts import KeptText

from .services import FINISH, close_given_up, explain_all_waiting
from .steps import finish_recording
from .work_folder import only_run

logger = structlog.get_logger("recordings")


def register() -> None:
    """Called once, when the app is ready."""
    outbox.register(FINISH, finish_recording, own_task=WakeUp("recordings.tasks.finish_recordings"))


def finish_due() -> int:
    """How many were finished; 0 also if another process of this machine is at it."""
    try:
        with only_run() as is_ours:
            done = outbox.process_due([FINISH]) if is_ours else 0
    except OSError as fault:
        # Nothing was begun: each job keeps all its attempts.
        logger.exception("recordings not finished", folder=settings.FINISHING_DIR)
        why = fault.strerror or type(fault).__name__
        explain_all_waiting(KeptText("The worker cannot write into FINISHING_DIR: %(why)s", why=why))
        return 0
    close_given_up()
    return done
