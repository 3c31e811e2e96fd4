"""Who keeps the promises of the outbox: one function per topic."""

from __future__ import annotations

import json

from sessions import outbox
from sessions.models import OutboxMessage
from sessions.services.orders import TOPIC
from voiceapp.providers.orders_receiver import OrdersReceiver


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(TOPIC, post_order)


def post_order(message: OutboxMessage) -> None:
    """Post an order to its organisation's orders address; an organisation without one wants none."""
    organization = message.organization
    if organization is None or not organization.orders_url:
        return
    OrdersReceiver.from_settings().post(
        organization.orders_url,
        secret=organization.orders_secret,
        message_id=str(message.message_id),
        body=order_post_body(message),
    )


def order_post_body(message: OutboxMessage) -> bytes:
    """The same bytes for every try of a message."""
    kind = "order.replaced" if message.body.get("replaces") else "order.submitted"
    post = {"type": kind, "messageId": str(message.message_id), "order": message.body}
    return json.dumps(post, ensure_ascii=False, separators=(",", ":")).encode()
