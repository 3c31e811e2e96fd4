"""Take out of the events that are kept what is no longer kept of new ones: `turnPassword`, metadata, permissions."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 500


def keep_allowed_fields(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # The one definition of what is kept; it knows no model.
    from telephony.services.kept_fields import kept_fields

    events = apps.get_model("telephony", "ProviderEvent").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(events.filter(source="livekit", pk__gt=last).order_by("pk").only("fields")[:BATCH]):
        last = batch[-1].pk
        changed = []
        for event in batch:
            kept = kept_fields(event.fields if isinstance(event.fields, dict) else {})
            if kept != event.fields:
                event.fields = kept
                changed.append(event)
        events.bulk_update(changed, ["fields"])


class Migration(migrations.Migration):
    dependencies = [("telephony", "0003_indexes_of_events")]

    operations = [migrations.RunPython(keep_allowed_fields, migrations.RunPython.noop, elidable=True)]
