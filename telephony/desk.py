"""The call desk with what a media stream needs besides: its token, and what follows it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from uuid import UUID

from sessions.desk import CallDesk
from telephony.bridge.actions import FallBack, FollowUp, HandOver, HangUp
from telephony.models.media_stream import FollowUp as Written
from telephony.services import RedeemedStream, redeem_token, set_follow_up


class StreamDesk(CallDesk):
    """Used by every live call of the process."""

    async def redeem_token(
        self, token: str, *, call_sid: str, account_sid: str, stream_sid: str, hints: Mapping[str, str]
    ) -> RedeemedStream:
        """Use the one-time token; raises TokenRefused."""
        return await self._ask(
            redeem_token, token, call_sid=call_sid, account_sid=account_sid, stream_sid=stream_sid, hints=hints
        )

    async def set_follow_up(self, stream_id: UUID, follow_up: FollowUp) -> None:
        """Write what the action door will answer, before the socket is closed."""
        match follow_up:
            case HangUp():
                await self._ask(set_follow_up, stream_id, Written.HANG_UP)
            case HandOver(target_id):
                await self._ask(set_follow_up, stream_id, Written.HAND_OVER, hand_over_to=target_id)
            case FallBack():
                await self._ask(set_follow_up, stream_id, Written.FALL_BACK)


@cache
def stream_desk() -> StreamDesk:
    """The process's own."""
    return StreamDesk()
