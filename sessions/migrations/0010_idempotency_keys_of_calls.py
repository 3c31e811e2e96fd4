"""The idempotency key of an order that has a call begins with the call's id."""

from django.db import migrations, models


def put_calls_in_front(apps, schema_editor):
    orders = apps.get_model("voice_sessions", "Order").objects
    for order in orders.filter(call__isnull=False, idempotency_key__isnull=False).only("call_id", "idempotency_key"):
        orders.filter(pk=order.pk).update(idempotency_key=f"{order.call_id}:{order.idempotency_key}")


def take_calls_away(apps, schema_editor):
    orders = apps.get_model("voice_sessions", "Order").objects
    for order in orders.filter(idempotency_key__regex=r"^[0-9a-f-]{36}:").only("idempotency_key"):
        orders.filter(pk=order.pk).update(idempotency_key=order.idempotency_key[37:])


class Migration(migrations.Migration):
    dependencies = [
        ('voice_sessions', '0009_end_reasons_of_refused_calls'),
    ]

    operations = [
        migrations.AlterField(
            model_name="order",
            name="idempotency_key",
            field=models.CharField(
                help_text="The client's, with the call's id in front if it has one.", max_length=165, null=True
            ),
        ),
        migrations.RunPython(put_calls_in_front, take_calls_away),
    ]
