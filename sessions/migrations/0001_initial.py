import datetime
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import sessions.appointments.calendars.models
import sessions.calls.end_reasons
import sessions.messages.texts.models
import sessions.calls.search.index
import sessions.calls.search.words_field
import uuid
import voiceapp.core.phones.numbers
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agents', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text='Counts up within the organization; what people call it.')),
                ('state', models.CharField(choices=[('booked', 'Booked'), ('done', 'Done'), ('no_show', 'No-show'), ('canceled', 'Canceled')], default='booked', max_length=8)),
                ('service_name', models.CharField(max_length=80)),
                ('price', models.DecimalField(decimal_places=2, max_digits=8, null=True)),
                ('currency', models.CharField(max_length=3)),
                ('starts_at', models.DateTimeField(verbose_name='start')),
                ('ends_at', models.DateTimeField(verbose_name='end')),
                ('customer_name', models.CharField(max_length=120)),
                ('customer_number', models.CharField(blank=True, max_length=64)),
                ('vehicle', models.CharField(blank=True, max_length=120)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('cancel_reason', models.CharField(blank=True, max_length=300, verbose_name='reason for canceling')),
                ('draft_version', models.PositiveIntegerField(null=True)),
                ('idempotency_key', models.CharField(help_text="The client's, with the call's id in front if it has one.", max_length=165, null=True)),
                ('request_digest', models.CharField(blank=True, max_length=64)),
                ('made_by', models.CharField(help_text='The agent, or a user.', max_length=150, verbose_name='booked by')),
                ('version', models.PositiveIntegerField(default=1, help_text='Rises with every change.')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='booked')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='last changed')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='appointments', to='agents.organization')),
                ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointments', to='agents.service')),
                ('said_turn', models.PositiveIntegerField(help_text='In which the time was chosen.', null=True, verbose_name="caller's turn")),
                ('said_at_ms', models.PositiveIntegerField(help_text="On the clock of the transcript's lines; known after the call.", null=True, verbose_name='said at (ms)')),
            ],
            options={
                'ordering': ('starts_at',),
            },
        ),
        migrations.CreateModel(
            name='BookedResource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_slot', models.PositiveIntegerField()),
                ('end_slot', models.PositiveIntegerField()),
                ('is_held', models.BooleanField(default=True, help_text='Not after it was canceled.')),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='booked', to='voice_sessions.appointment')),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='booked', to='agents.resource')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='resources',
            field=models.ManyToManyField(related_name='appointments', through='voice_sessions.BookedResource', to='agents.resource'),
        ),
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text="Who uses it, like “Reception's computer”.", max_length=80)),
                ('shows_customers', models.BooleanField(default=True, help_text='Name, number, vehicle and note of the customer. When off: service and time only.', verbose_name='customers are shown')),
                ('secret_sha256', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('renewed_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_at', models.DateTimeField(editable=False, help_text='Accurate to the minute.', null=True, verbose_name='last fetched')),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calendar_feeds', to='agents.organization')),
                ('resource', models.ForeignKey(blank=True, help_text='Leave empty for all appointments of the organization.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='calendar_feeds', to='agents.resource')),
            ],
            options={
                'verbose_name': 'calendar feed',
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(blank=True, max_length=100)),
                ('kind', models.CharField(choices=[('phone', 'Phone'), ('room', 'Room'), ('browser', 'Browser')], default='phone', max_length=10)),
                ('direction', models.CharField(choices=[('inbound', 'Inbound'), ('outbound', 'Outbound')], default='inbound', max_length=10)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('ringing', 'Ringing'), ('connected', 'Connected'), ('completed', 'Completed'), ('missed', 'Missed'), ('failed', 'Failed')], default='pending', max_length=10)),
                ('end_reason', models.CharField(blank=True, choices=[(sessions.calls.end_reasons.EndReason['CALLER_HUNG_UP'], 'Caller hung up'), (sessions.calls.end_reasons.EndReason['AGENT_HUNG_UP'], 'Agent hung up'), (sessions.calls.end_reasons.EndReason['TRANSFERRED'], 'Transferred'), (sessions.calls.end_reasons.EndReason['NOBODY_THERE'], 'Nobody took the call'), (sessions.calls.end_reasons.EndReason['CALLER_SILENT'], 'Caller was silent'), (sessions.calls.end_reasons.EndReason['TOO_LONG'], 'Maximum duration reached'), (sessions.calls.end_reasons.EndReason['BUDGET_USED'], 'Maximum cost reached'), (sessions.calls.end_reasons.EndReason['PROVIDER_FAILED'], 'AI provider failed'), (sessions.calls.end_reasons.EndReason['PROVIDER_REFUSED'], 'AI provider refused the call'), (sessions.calls.end_reasons.EndReason['STREAM_LOST'], 'Audio connection lost'), (sessions.calls.end_reasons.EndReason['HUNG_UP_BY_OPERATOR'], 'Hung up by operator'), (sessions.calls.end_reasons.EndReason['SERVER_STOPPING'], 'Server stopping'), (sessions.calls.end_reasons.EndReason['CLOSED_HOURS'], 'Outside opening hours'), (sessions.calls.end_reasons.EndReason['AGENT_PAUSED'], 'Agent paused'), (sessions.calls.end_reasons.EndReason['AGENT_NOT_PUBLISHED'], 'Agent not published'), (sessions.calls.end_reasons.EndReason['NO_AGENT'], 'No default agent'), (sessions.calls.end_reasons.EndReason['NUMBER_SWITCHED_OFF'], 'Phone number inactive'), (sessions.calls.end_reasons.EndReason['LINE_FULL'], 'Too many calls'), (sessions.calls.end_reasons.EndReason['UNKNOWN_NUMBER'], 'Unknown phone number'), (sessions.calls.end_reasons.EndReason['LOST_PROCESS'], 'Server process lost'), (sessions.calls.end_reasons.EndReason['NOT_ANSWERED'], 'Not answered'), (sessions.calls.end_reasons.EndReason['ENDED_BY_REQUEST'], 'Ended over the API'), (sessions.calls.end_reasons.EndReason['ROOM_CLOSED'], 'Room closed'), (sessions.calls.end_reasons.EndReason['AGENT_NOT_DISPATCHED'], 'Agent could not be dispatched'), (sessions.calls.end_reasons.EndReason['AGENT_NEVER_JOINED'], 'No agent joined'), (sessions.calls.end_reasons.EndReason['AGENT_LOST'], 'Agent lost'), (sessions.calls.end_reasons.EndReason['PHONE_NOT_REACHED'], 'Phone could not be called'), (sessions.calls.end_reasons.EndReason['ROOM_NOT_OPENED'], 'Room could not be opened'), (sessions.calls.end_reasons.EndReason['FAILED_BY_REQUEST'], 'Marked as failed over the API'), (sessions.calls.end_reasons.EndReason['PAGE_CHANGED_SESSION'], 'Page changed the agent'), (sessions.calls.end_reasons.EndReason['BROWSER_NEVER_JOINED'], 'Browser did not connect')], max_length=24)),
                ('carrier_sid', models.CharField(help_text="Like Twilio's CallSid.", max_length=64, null=True, unique=True, verbose_name='carrier ID')),
                ('caller_number', models.CharField(blank=True, max_length=64)),
                ('dialed_number', models.CharField(blank=True, max_length=64, verbose_name='dialed number')),
                ('room_name', models.CharField(blank=True, max_length=100, null=True)),
                ('room_sid', models.CharField(blank=True, help_text="LiveKit's own name of the room, which no later one of its name has.", max_length=64, verbose_name='room SID')),
                ('room_seen_at', models.DateTimeField(help_text='When LiveKit last said that the room is open.', null=True)),
                ('room_checked_at', models.DateTimeField(help_text='When LiveKit last said who is in the room.', null=True)),
                ('call_type', models.CharField(blank=True, choices=[('support', 'Support'), ('user-to-user', 'User to user'), ('conference', 'Conference')], max_length=12)),
                ('callee', models.CharField(blank=True, help_text='The subject of whom a call between two is for.', max_length=100)),
                ('is_recording_wanted', models.BooleanField(default=False, verbose_name='recording requested')),
                ('metadata', models.JSONField(default=dict)),
                ('transferred_to', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('connected_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('lease_expires_at', models.DateTimeField(null=True)),
                ('process', models.CharField(blank=True, help_text='The server process that took the phone call, and then carries it.', max_length=64)),
                ('interruptions', models.PositiveIntegerField(default=0)),
                ('usage', models.JSONField(default=dict)),
                ('cost_usd', models.DecimalField(decimal_places=6, max_digits=10, null=True, verbose_name='cost (USD)')),
                ('agent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='agents.agent')),
                ('agent_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='agents.agentversion')),
                ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='agents.organization')),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='call',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointments', to='voice_sessions.call'),
        ),
        migrations.CreateModel(
            name='CallEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('at', models.DateTimeField(verbose_name='time')),
                ('at_ms', models.PositiveIntegerField(help_text="On the media stream's clock.", null=True, verbose_name='time in the audio stream (ms)')),
                ('detail', models.JSONField(default=dict)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='CallNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=300)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='ConnectedCalendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(help_text='Of the server, of the account, or of the calendar itself.', max_length=500, validators=[sessions.appointments.calendars.models.validate_address])),
                ('username', models.CharField(max_length=200, verbose_name='user name')),
                ('sealed_password', models.TextField(editable=False)),
                ('shows_customers', models.BooleanField(default=True, help_text='Name, number, vehicle and note of the customer. When off: service and time only.', verbose_name='customers are shown')),
                ('reads_busy_times', models.BooleanField(default=True, help_text='When the calendar is busy, the resource gets no appointment.')),
                ('writes_appointments', models.BooleanField(default=True, help_text='Appointments are written into the calendar.')),
                ('offered', models.JSONField(default=list, editable=False)),
                ('calendar_url', models.CharField(blank=True, editable=False, max_length=1000)),
                ('calendar_name', models.CharField(blank=True, editable=False, max_length=200, verbose_name='calendar')),
                ('next_read_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('reading_until', models.DateTimeField(editable=False, null=True)),
                ('read_at', models.DateTimeField(editable=False, null=True, verbose_name='busy times read')),
                ('failing_since', models.DateTimeField(editable=False, null=True)),
                ('failures', models.PositiveIntegerField(default=0, editable=False)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=300)),
                ('unreadable_events', models.PositiveIntegerField(default=0, editable=False)),
                ('resource', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='connected_calendar', to='agents.resource')),
            ],
            options={
                'verbose_name': 'connected calendar',
                'ordering': ('resource__position', 'resource_id'),
            },
        ),
        migrations.CreateModel(
            name='CalendarEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('etag', models.CharField(blank=True, max_length=200)),
                ('written_version', models.PositiveIntegerField(default=0)),
                ('written_at', models.DateTimeField(null=True)),
                ('change', models.CharField(blank=True, choices=[('', 'As we wrote it'), ('moved', 'Changed in the calendar'), ('removed', 'Removed from the calendar'), ('left', 'Left as it is in the calendar')], default='', max_length=8)),
                ('changed_to_start', models.DateTimeField(null=True)),
                ('changed_to_end', models.DateTimeField(null=True)),
                ('may_overwrite', models.BooleanField(default=False)),
                ('noticed_at', models.DateTimeField(null=True)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calendar_entries', to='voice_sessions.appointment')),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='voice_sessions.connectedcalendar')),
            ],
            options={
                'verbose_name': 'calendar entry',
                'verbose_name_plural': 'calendar entries',
                'ordering': ('appointment__starts_at',),
            },
        ),
        migrations.CreateModel(
            name='BusyTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('appointment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='voice_sessions.appointment')),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='busy_times', to='agents.resource')),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='busy_times', to='voice_sessions.connectedcalendar')),
            ],
            options={
                'ordering': ('starts_at',),
            },
        ),
        migrations.CreateModel(
            name='DraftAppointment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('action', models.CharField(choices=[('book', 'Book'), ('move', 'Move'), ('cancel', 'Cancel')], default='book', max_length=8)),
                ('starts_at', models.DateTimeField(null=True)),
                ('price', models.DecimalField(decimal_places=2, max_digits=8, null=True)),
                ('duration_minutes', models.PositiveSmallIntegerField(null=True)),
                ('customer_name', models.CharField(blank=True, max_length=120)),
                ('customer_number', models.CharField(blank=True, max_length=64)),
                ('vehicle', models.CharField(blank=True, max_length=120)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('read_back_version', models.PositiveIntegerField(null=True)),
                ('read_back_turn', models.PositiveIntegerField(null=True)),
                ('carried_out_version', models.PositiveIntegerField(null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('appointment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='voice_sessions.appointment')),
                ('call', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft_appointment', to='voice_sessions.call')),
                ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='agents.service')),
                ('said_turn', models.PositiveIntegerField(help_text='In which the time was chosen.', null=True, verbose_name="caller's turn")),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DraftOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('lines', models.JSONField(default=list)),
                ('read_back_version', models.PositiveIntegerField(null=True)),
                ('read_back_turn', models.PositiveIntegerField(null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('call', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft_order', to='voice_sessions.call')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='OccupiedSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slot', models.PositiveIntegerField(help_text='Five minutes each, counted since 1970 in UTC.')),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='voice_sessions.appointment')),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='agents.resource')),
            ],
        ),
        migrations.CreateModel(
            name='OptOut',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=16, validators=[voiceapp.core.phones.numbers.validate_e164])),
                ('is_out', models.BooleanField(default=True, verbose_name='opted out')),
                ('source', models.CharField(choices=[('keyword', 'Texted us'), ('carrier', 'Reported by the carrier'), ('operator', 'Entered here')], default='operator', max_length=10)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opt_outs', to='agents.organization')),
            ],
            options={
                'verbose_name': 'opt-out',
                'ordering': ('-changed_at',),
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text='Counts up within the organization; what people call it.')),
                ('draft_version', models.PositiveIntegerField(null=True)),
                ('idempotency_key', models.CharField(help_text="The client's, with the call's id in front if it has one.", max_length=165, null=True)),
                ('request_digest', models.CharField(blank=True, max_length=64)),
                ('state', models.CharField(choices=[('submitted', 'Submitted'), ('replaced', 'Replaced'), ('accepted', 'Accepted'), ('ready', 'Ready'), ('done', 'Done'), ('canceled', 'Canceled')], default='submitted', max_length=12)),
                ('customer_name', models.CharField(blank=True, max_length=120)),
                ('customer_number', models.CharField(blank=True, max_length=64)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('currency', models.CharField(max_length=3)),
                ('subtotal', models.DecimalField(decimal_places=2, max_digits=12)),
                ('tax', models.DecimalField(decimal_places=2, max_digits=12)),
                ('total', models.DecimalField(decimal_places=2, max_digits=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('call', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to='voice_sessions.call')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orders', to='agents.organization')),
                ('replaces', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaced_by', to='voice_sessions.order')),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='OrderLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('item_id', models.BigIntegerField(help_text="The menu's item at that time; the row may be gone.", null=True)),
                ('item', models.CharField(max_length=80)),
                ('size', models.CharField(blank=True, max_length=80)),
                ('size_id', models.BigIntegerField(help_text='Like item_id.', null=True)),
                ('quantity', models.PositiveIntegerField()),
                ('unit_price', models.DecimalField(decimal_places=2, max_digits=10)),
                ('price', models.DecimalField(decimal_places=2, max_digits=12)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='voice_sessions.order')),
                ('said_turn', models.PositiveIntegerField(help_text='In which the model put it in.', null=True, verbose_name="caller's turn")),
                ('said_at_ms', models.PositiveIntegerField(help_text="On the clock of the transcript's lines; known after the call.", null=True, verbose_name='said at (ms)')),
            ],
            options={
                'ordering': ('order', 'position'),
            },
        ),
        migrations.CreateModel(
            name='OrderModifier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('modifier_id', models.BigIntegerField(null=True)),
                ('group', models.CharField(max_length=80)),
                ('name', models.CharField(max_length=80)),
                ('quantity', models.PositiveIntegerField(default=1)),
                ('price', models.DecimalField(decimal_places=2, max_digits=10)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='modifiers', to='voice_sessions.orderline')),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='under', to='voice_sessions.ordermodifier')),
            ],
            options={
                'ordering': ('line', 'id'),
            },
        ),
        migrations.CreateModel(
            name='OutboxMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('partition_key', models.CharField(blank=True, max_length=128)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('failed', 'Failed'), ('unconfigured', 'Not configured')], default='waiting', max_length=12)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next attempt at')),
                ('lease_expires_at', models.DateTimeField(editable=False, null=True)),
                ('last_error', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('done_at', models.DateTimeField(null=True, verbose_name='completed at')),
                ('message_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='message ID')),
                ('topic', models.CharField(max_length=40)),
                ('body', models.JSONField()),
                ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='outbox', to='agents.organization')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Participant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sid', models.CharField(max_length=64, verbose_name='LiveKit SID')),
                ('identity', models.CharField(max_length=255)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('kind', models.CharField(choices=[('person', 'Person'), ('agent', 'Agent'), ('machine', 'Machine')], default='person', max_length=8)),
                ('joined_at', models.DateTimeField(null=True)),
                ('left_at', models.DateTimeField(null=True)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='participants', to='voice_sessions.call')),
            ],
            options={
                'verbose_name': 'room participant',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='PassedMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('joined', 'Joined'), ('say', 'Say'), ('interrupt', 'Interrupt'), ('moved', 'Moved')], max_length=9)),
                ('text', models.CharField(blank=True, max_length=500)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='passed_messages', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='RoomAgent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(max_length=120, unique=True)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('active', 'Active'), ('disconnected', 'Disconnected')], default='pending', max_length=12)),
                ('is_withdrawn', models.BooleanField(default=False, help_text='Removed or failed to join: it may not come back.', verbose_name='withdrawn')),
                ('never_joined', models.BooleanField(default=False, help_text='No worker came in time.')),
                ('tries', models.PositiveSmallIntegerField(default=1, help_text='How often LiveKit was requested to send it.')),
                ('replaced_at', models.DateTimeField(help_text='When another worker was requested for one that was lost.', null=True)),
                ('is_silent', models.BooleanField(default=False, help_text='It listens and does not speak.', verbose_name='silent')),
                ('job_id', models.CharField(blank=True, help_text="LiveKit's job that carries it.", max_length=64, verbose_name='job ID')),
                ('dispatch_id', models.CharField(blank=True, max_length=64, verbose_name='dispatch ID')),
                ('system_prompt', models.TextField(blank=True)),
                ('voice', models.CharField(max_length=80)),
                ('model', models.CharField(blank=True, max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('joined_at', models.DateTimeField(null=True)),
                ('disconnected_at', models.DateTimeField(null=True)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='room_agents', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='RoomToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(max_length=120, unique=True)),
                ('subject', models.CharField(blank=True, max_length=100)),
                ('role', models.CharField(choices=[('caller', 'Caller'), ('callee', 'Callee'), ('member', 'Member'), ('agent', 'Agent')], max_length=8)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='room_tokens', to='voice_sessions.call')),
            ],
            options={
                'verbose_name': 'room token',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Text',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('direction', models.CharField(choices=[('inbound', 'Inbound'), ('outbound', 'Outbound')], default='outbound', max_length=10)),
                ('kind', models.CharField(blank=True, choices=[('order_confirmation', 'Order confirmation'), ('appointment_confirmation', 'Appointment confirmation'), ('appointment_moved', 'Appointment moved'), ('appointment_canceled', 'Appointment canceled'), ('appointment_reminder', 'Appointment reminder'), ('menu_link', 'Link to the menu'), ('help', 'Answer to HELP')], max_length=30)),
                ('key', models.CharField(max_length=160)),
                ('about', models.CharField(blank=True, help_text='The ID of the appointment or order.', max_length=80)),
                ('about_at', models.DateTimeField(help_text='When the appointment begins of which it speaks.', null=True)),
                ('number', models.CharField(max_length=64, verbose_name="customer's number")),
                ('our_number', models.CharField(blank=True, max_length=64, verbose_name='our number')),
                ('body', models.TextField()),
                ('segments', models.PositiveIntegerField(default=1)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('failed', 'Not delivered'), ('not_sent', 'Not sent'), ('received', 'Received')], default='waiting', max_length=10)),
                ('reason', models.CharField(blank=True, choices=[('off', 'Texts are turned off'), ('not_configured', 'No Twilio account'), ('no_number', 'No number to text'), ('no_sender', 'No number to send from'), ('landline', 'Landline'), ('invalid_number', 'Invalid number'), ('other_country', 'Another country'), ('opted_out', 'Opted out'), ('number_cap', 'Maximum per number reached'), ('day_cap', 'Maximum per day reached'), ('too_many_fail', 'Paused: too many failures'), ('unregistered', 'Sender not registered'), ('bad_sender', 'Sender cannot send texts'), ('trial', 'Trial account'), ('no_permission', 'Country not enabled'), ('unreachable', 'Phone not reachable'), ('filtered', 'Filtered as spam'), ('refused', 'Refused by the carrier'), ('no_response', 'Carrier did not respond'), ('too_late', 'Too late'), ('changed', 'No longer true')], max_length=24)),
                ('carrier_status', models.CharField(blank=True, max_length=20, verbose_name='status at the carrier')),
                ('provider_sid', models.CharField(max_length=64, null=True, unique=True, verbose_name='carrier ID')),
                ('error_code', models.PositiveIntegerField(null=True, verbose_name="carrier's error code")),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('not_after', models.DateTimeField(help_text='Later it is not sent any more.', null=True)),
                ('sending_since', models.DateTimeField(editable=False, null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True, verbose_name='delivered or failed at')),
                ('call', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='texts', to='voice_sessions.call')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='agents.organization')),
            ],
            options={
                'verbose_name': 'text',
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='TextSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=True, verbose_name='send texts')),
                ('confirms_orders', models.BooleanField(default=False, help_text="A text with the order's number, items and total after each order by phone.")),
                ('confirms_appointments', models.BooleanField(default=True, help_text='A text when an appointment is booked, moved or canceled.')),
                ('reminder_hours', models.PositiveIntegerField(default=24, help_text='Hours before an appointment at which its reminder is sent; 0: no reminders.', validators=[django.core.validators.MaxValueValidator(336)], verbose_name='reminder (hours before)')),
                ('quiet_from', models.TimeField(default=datetime.time(21, 0), help_text='Reminders wait during these hours.')),
                ('quiet_until', models.TimeField(default=datetime.time(8, 0))),
                ('most_per_number', models.PositiveIntegerField(default=5, help_text='Further texts to that number are not sent.', verbose_name='maximum per number and day')),
                ('most_per_day', models.PositiveIntegerField(default=200, verbose_name='maximum per day')),
                ('countries', models.CharField(blank=True, help_text="Texts go to numbers of these countries only, like “DE, AT”. Empty: the organization's country.", max_length=120, validators=[sessions.messages.texts.models.validate_countries])),
                ('messaging_service_sid', models.CharField(blank=True, help_text='Twilio sends by this Messaging Service. Empty: from the number that was called.', max_length=34, validators=[django.core.validators.RegexValidator('^MG[0-9a-f]{32}$', 'Enter MG and 32 letters and digits, as Twilio shows it.')], verbose_name='Messaging Service SID')),
                ('menu_url', models.URLField(blank=True, help_text='What “text me the menu” sends.', verbose_name="menu's link")),
                ('answers_help', models.BooleanField(default=False, help_text='Twilio answers HELP by itself, in English. Turn this on if you have turned that off.', verbose_name='answer HELP')),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='text_settings', to='agents.organization')),
            ],
            options={
                'verbose_name': 'text settings',
                'verbose_name_plural': 'text settings',
            },
        ),
        migrations.CreateModel(
            name='TextTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('order_confirmation', 'Order confirmation'), ('appointment_confirmation', 'Appointment confirmation'), ('appointment_moved', 'Appointment moved'), ('appointment_canceled', 'Appointment canceled'), ('appointment_reminder', 'Appointment reminder'), ('menu_link', 'Link to the menu'), ('help', 'Answer to HELP')], max_length=30)),
                ('language', models.CharField(choices=[('en', 'English'), ('de', 'German'), ('es', 'Spanish'), ('fr', 'French'), ('it', 'Italian')], max_length=2)),
                ('body', models.TextField(max_length=1600)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='text_templates', to='agents.organization')),
            ],
            options={
                'verbose_name': 'text template',
                'ordering': ('kind', 'language'),
            },
        ),
        migrations.CreateModel(
            name='ToolCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tool_call_id', models.CharField(help_text="The AI provider's ID, with a number where it repeats.", max_length=80, verbose_name='tool call ID')),
                ('name', models.CharField(max_length=64)),
                ('arguments', models.JSONField(default=dict)),
                ('output', models.JSONField(default=dict)),
                ('outcome', models.CharField(choices=[('done', 'Done'), ('refused', 'Refused'), ('failed', 'Failed')], max_length=8)),
                ('turn', models.PositiveIntegerField(default=0)),
                ('duration_ms', models.PositiveIntegerField(default=0, verbose_name='duration (ms)')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tool_calls', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='TranscriptLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item_id', models.CharField(max_length=80, verbose_name='item ID')),
                ('speaker', models.CharField(choices=[('caller', 'Caller'), ('agent', 'Agent')], max_length=8)),
                ('text', models.TextField(blank=True)),
                ('words', sessions.calls.search.words_field.WordsField(default='', editable=False, help_text='What the search compares: written with the text.')),
                ('spoken_at_ms', models.PositiveIntegerField(verbose_name='time in the call (ms)')),
                ('turn', models.PositiveIntegerField(default=0)),
                ('is_cut', models.BooleanField(default=False, help_text='The caller interrupted; only what was heard is kept.', verbose_name='interrupted')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('call', 'spoken_at_ms', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('speech_ended_ms', models.PositiveIntegerField(null=True, verbose_name='speech end (ms)')),
                ('response_ms', models.PositiveIntegerField(null=True, verbose_name='response time (ms)')),
                ('detection_ms', models.PositiveIntegerField(null=True, verbose_name='speech end detection (ms)')),
                ('model_ms', models.PositiveIntegerField(null=True, verbose_name='AI provider (ms)')),
                ('playout_ms', models.PositiveIntegerField(null=True, verbose_name='playback (ms)')),
                ('is_interrupted', models.BooleanField(default=False, verbose_name='interrupted')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='turns', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('call', 'number'),
            },
        ),
        migrations.CreateModel(
            name='VisitorCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_id', models.CharField(help_text='Each visitor token begins one call.', max_length=40, unique=True, verbose_name='visitor')),
                ('day', models.DateField(help_text="In the organization's time zone: the day whose budget it is of.")),
                ('model', models.CharField(max_length=80)),
                ('longest_call_minutes', models.PositiveIntegerField()),
                ('reserved_usd', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='reserved (USD)')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('call', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='visitor_call', to='voice_sessions.call')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='visitor_calls', to='agents.organization')),
            ],
        ),
        migrations.CreateModel(
            name='VoiceSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session_id', models.CharField(db_index=True, help_text="OpenAI's ID.", max_length=100, verbose_name='session ID')),
                ('owner', models.CharField(max_length=100)),
                ('model', models.CharField(max_length=80)),
                ('is_text_only', models.BooleanField(default=False, verbose_name='text only')),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='voice_sessions', to='agents.organization')),
            ],
            options={
                'ordering': ('-created_at', '-id'),
            },
        ),
        migrations.AddIndex(
            model_name='transcriptline',
            index=sessions.calls.search.index.TranscriptIndex(fields=['words'], name='transcript_words'),
        ),
        migrations.AddIndex(
            model_name='bookedresource',
            index=models.Index(fields=['resource', 'is_held', 'first_slot', 'end_slot'], name='booked_times_of_resource'),
        ),
        migrations.AddConstraint(
            model_name='bookedresource',
            constraint=models.UniqueConstraint(fields=('appointment', 'resource'), name='appointment_has_a_resource_once'),
        ),
        migrations.AddConstraint(
            model_name='bookedresource',
            constraint=models.CheckConstraint(condition=models.Q(('end_slot__gt', models.F('first_slot'))), name='booked_resource_has_a_slot'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['organization', '-created_at'], name='call_of_organization'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['state', 'lease_expires_at'], name='call_lease'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['room_name', '-created_at'], name='call_of_room'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('state__in', ('pending', 'ringing', 'connected'))), fields=['organization'], name='live_call_of_organization'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('state__in', ('pending', 'ringing', 'connected'))), fields=['caller_number'], name='live_call_of_caller'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('state__in', ('pending', 'ringing', 'connected'))), fields=['process'], name='live_call_of_process'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['owner', 'kind', '-created_at', '-id', 'state', 'organization'], name='call_of_owner'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['callee', 'kind', '-created_at', '-id', 'state', 'organization'], name='call_of_callee'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['organization', 'kind', '-created_at', '-id', 'state'], name='call_of_organization_by_kind'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('pending', 'ringing', 'connected'))), fields=('room_name',), name='names_of_live_rooms_are_unique'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['organization', 'starts_at'], name='appointment_of_day'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['organization', 'customer_number', 'starts_at'], name='appointment_of_customer'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('call', 'draft_version'), name='one_appointment_per_draft_version'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('organization', 'idempotency_key'), name='one_appointment_per_idempotency_key'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('organization', 'number'), name='appointments_are_numbered'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='appointment_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='calendarentry',
            constraint=models.UniqueConstraint(fields=('calendar', 'appointment'), name='appointment_is_in_a_calendar_once'),
        ),
        migrations.AddIndex(
            model_name='busytime',
            index=models.Index(fields=['resource', 'starts_at', 'ends_at'], name='busy_times_of_resource'),
        ),
        migrations.AddConstraint(
            model_name='busytime',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='busy_time_has_a_length'),
        ),
        migrations.AddConstraint(
            model_name='occupiedslot',
            constraint=models.UniqueConstraint(fields=('resource', 'slot'), name='a_resource_is_booked_once'),
        ),
        migrations.AddConstraint(
            model_name='optout',
            constraint=models.UniqueConstraint(fields=('organization', 'number'), name='one_opt_out_per_number'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('call', 'draft_version'), name='one_order_per_draft_version'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('organization', 'idempotency_key'), name='one_order_per_idempotency_key'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('organization', 'number'), name='orders_are_numbered'),
        ),
        migrations.AddConstraint(
            model_name='orderline',
            constraint=models.UniqueConstraint(fields=('order', 'position'), name='order_lines_are_numbered'),
        ),
        migrations.AddIndex(
            model_name='outboxmessage',
            index=models.Index(fields=['state', 'due_at'], name='outbox_due'),
        ),
        migrations.AddIndex(
            model_name='outboxmessage',
            index=models.Index(fields=['topic', 'partition_key', 'id'], name='outbox_order_in_partition'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.UniqueConstraint(fields=('call', 'sid'), name='presences_are_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='roomagent',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'disconnected'), _negated=True), fields=('call',), name='one_agent_at_a_time_in_a_call'),
        ),
        migrations.AddIndex(
            model_name='text',
            index=models.Index(fields=['organization', 'due_at'], name='text_of_organization'),
        ),
        migrations.AddIndex(
            model_name='text',
            index=models.Index(fields=['organization', 'number', '-created_at'], name='text_of_number'),
        ),
        migrations.AddConstraint(
            model_name='text',
            constraint=models.UniqueConstraint(fields=('organization', 'key'), name='one_text_per_key'),
        ),
        migrations.AddConstraint(
            model_name='texttemplate',
            constraint=models.UniqueConstraint(fields=('organization', 'kind', 'language'), name='one_text_template_per_kind_and_language'),
        ),
        migrations.AddConstraint(
            model_name='toolcall',
            constraint=models.UniqueConstraint(fields=('call', 'tool_call_id'), name='one_row_per_tool_call'),
        ),
        migrations.AddConstraint(
            model_name='transcriptline',
            constraint=models.UniqueConstraint(fields=('call', 'item_id'), name='one_line_per_item'),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.UniqueConstraint(fields=('call', 'number'), name='turns_are_numbered'),
        ),
        migrations.AddIndex(
            model_name='visitorcall',
            index=models.Index(fields=['organization', 'day'], name='visitor_calls_of_a_day'),
        ),
        migrations.AddIndex(
            model_name='voicesession',
            index=models.Index(fields=['organization', '-created_at'], name='voice_session_of_organization'),
        ),
    ]
