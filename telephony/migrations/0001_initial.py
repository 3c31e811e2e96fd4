import django.db.models.deletion
import django.utils.timezone
import uuid
import voiceapp.core.phones.numbers
from django.db import migrations, models

from voiceapp.core.tables_at_once import tables_at_once


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agents', '0001_initial'),
        ('recordings', '0001_initial'),
        ('voice_sessions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='MediaStream',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('account_sid', models.CharField(max_length=64, verbose_name='account SID')),
                ('stream_sid', models.CharField(blank=True, max_length=64, verbose_name='stream SID')),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True, verbose_name='token used at')),
                ('ended_at', models.DateTimeField(null=True)),
                ('follow_up', models.CharField(blank=True, choices=[('', 'None yet'), ('hang_up', 'Hang up'), ('hand_over', 'Transfer to a person'), ('fall_back', 'Apologize, then transfer or take a message')], default='', max_length=10, verbose_name='requested next step')),
                ('hand_over_to', models.CharField(blank=True, help_text='The slug of a transfer target.', max_length=40, verbose_name='requested transfer target')),
                ('next_step', models.CharField(blank=True, choices=[('hang_up', 'Hang up'), ('dial', 'Transfer'), ('hold', 'Hold the line for a person'), ('back_to_agent', 'Back to the agent'), ('apologize_and_dial', 'Apologize and transfer'), ('take_message', 'Take a message'), ('apologize_and_take_message', 'Apologize and take a message')], max_length=30)),
                ('next_target', models.CharField(blank=True, help_text='Its slug.', max_length=40, verbose_name='transfer target')),
                ('is_return', models.BooleanField(default=False, help_text='The caller came back to the agent: nobody took the transfer.', verbose_name='after a transfer')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('sealed_call_token', models.TextField(blank=True, editable=False)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='media_streams', to='voice_sessions.call')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('sealed_call_token', ''), _negated=True), fields=['call'], name='streams_with_a_call_token')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_return', False)), fields=('call',), name='one_first_stream_per_call')],
            },
        ),
        migrations.CreateModel(
            name='NumberCheck',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('checked_at', models.DateTimeField()),
                ('error', models.CharField(blank=True, help_text="Why Twilio's numbers could not be read.", max_length=300)),
                ('unknown_numbers', models.JSONField(default=list, help_text="Twilio's numbers that are not set up here.")),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_number_check')],
            },
        ),
        migrations.CreateModel(
            name='PhoneNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=16, unique=True, validators=[voiceapp.core.phones.numbers.validate_e164])),
                ('label', models.CharField(blank=True, max_length=80)),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('carrier_state', models.CharField(blank=True, choices=[('', 'Not checked'), ('in_step', 'Points here'), ('differs', 'Points elsewhere'), ('missing', 'Not at Twilio')], default='', editable=False, max_length=8, verbose_name='at Twilio')),
                ('carrier_difference', models.CharField(blank=True, editable=False, help_text='As of the last check.', max_length=1000, verbose_name='difference at Twilio')),
                ('carrier_checked_at', models.DateTimeField(editable=False, null=True, verbose_name='checked at Twilio')),
                ('agent', models.ForeignKey(blank=True, help_text='Leave empty to use the default agent.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='phone_numbers', to='agents.agent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phone_numbers', to='agents.organization')),
            ],
            options={
                'ordering': ('number',),
            },
        ),
        migrations.CreateModel(
            name='ProviderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('partition_key', models.CharField(blank=True, max_length=128)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next attempt at')),
                ('lease_expires_at', models.DateTimeField(editable=False, null=True)),
                ('last_error', models.CharField(blank=True, max_length=300)),
                ('done_at', models.DateTimeField(null=True, verbose_name='completed at')),
                ('source', models.CharField(max_length=20)),
                ('dedup_key', models.CharField(max_length=200, verbose_name='deduplication key')),
                ('kind', models.CharField(max_length=60)),
                ('verdict', models.CharField(choices=[('verified', 'Verified'), ('refused', 'Refused')], default='verified', max_length=8, verbose_name='signature')),
                ('reason', models.CharField(blank=True, max_length=100, verbose_name='refused because')),
                ('fields', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('failed', 'Failed'), ('unconfigured', 'Not configured')], default='done', max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='received at')),
                ('call', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='provider_events', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('-created_at',),
                'indexes': [models.Index(fields=['state', 'id'], name='provider_event_in_order'), models.Index(fields=['state', 'partition_key', 'id'], name='provider_event_of_partition')],
                'constraints': [models.UniqueConstraint(fields=('source', 'dedup_key'), name='provider_events_are_kept_once')],
            },
        ),
        migrations.CreateModel(
            name='SyncedAssistant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('assistant_id', models.CharField(blank=True, max_length=64, verbose_name='assistant ID')),
                ('sent', models.JSONField(default=dict, help_text='Each field as we last wrote it.')),
                ('returned', models.JSONField(default=dict, help_text='Each field as VAPI returned it then.')),
                ('version', models.PositiveIntegerField(null=True, verbose_name='version of the agent')),
                ('synced_at', models.DateTimeField(null=True, verbose_name='synchronized at')),
                ('synced_by', models.CharField(blank=True, max_length=150, verbose_name='synchronized by')),
                ('claimed_until', models.DateTimeField(help_text='Somebody is synchronizing it.', null=True)),
                ('agent', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='vapi_assistant', to='agents.agent')),
            ],
            options={
                'verbose_name': 'VAPI assistant',
                'verbose_name_plural': 'VAPI assistants',
                'ordering': ('agent',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('assistant_id', ''), _negated=True), fields=('assistant_id',), name='vapi_assistants_have_one_agent')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('wanted', models.CharField(help_text='The slug of the target or department.', max_length=40)),
                ('name', models.CharField(max_length=80)),
                ('mode', models.CharField(choices=[('cold', 'Connect at once'), ('warm', 'Announce the call first; the person accepts it with key 1')], max_length=4)),
                ('if_nobody', models.CharField(choices=[('message', 'Can leave a message'), ('agent', 'Goes back to the agent')], max_length=8, verbose_name='if nobody answers')),
                ('summary', models.TextField(blank=True, help_text='What the person hears before accepting.')),
                ('state', models.CharField(choices=[('waiting', 'The caller waits'), ('joining', 'Accepted'), ('talking', 'They talk'), ('talked', 'They talked'), ('nobody', 'Nobody took the call'), ('caller_left', 'The caller hung up while waiting')], default='waiting', max_length=12)),
                ('failure', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('seen_at', models.DateTimeField(help_text='When the carrier last sent a request.', null=True, verbose_name='caller seen at')),
                ('accepted_at', models.DateTimeField(null=True)),
                ('caller_joined_at', models.DateTimeField(help_text='When the caller entered the conference.', null=True)),
                ('joined_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('returned_at', models.DateTimeField(help_text='When a caller whom no person took was sent on.', null=True)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transfers', to='voice_sessions.call')),
                ('return_stream', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='returns_from', to='telephony.mediastream')),
                ('stream', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='transfer', to='telephony.mediastream')),
            ],
            options={
                'ordering': ('created_at',),
                'indexes': [models.Index(condition=models.Q(('state__in', ('waiting', 'joining', 'talking'))), fields=['state'], name='live_transfers')],
            },
        ),
        migrations.CreateModel(
            name='TransferAttempt',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('slug', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=80)),
                ('number', models.CharField(max_length=16)),
                ('caller_id', models.CharField(choices=[('organization', "The organization's number"), ('caller', "The caller's own number, where the carrier allows it")], max_length=12, verbose_name='caller ID')),
                ('is_second_try', models.BooleanField(default=False, help_text="Made only if the carrier refuses to show the caller's own number.")),
                ('state', models.CharField(choices=[('planned', 'Not called'), ('dialing', 'Being called'), ('ringing', 'Rings'), ('answered', 'Hears the summary'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('not_accepted', 'Answered and did not accept'), ('no_answer', 'Did not answer'), ('busy', 'Busy'), ('refused', 'The carrier refused the caller ID'), ('failed', 'Could not be called'), ('canceled', 'Canceled: the caller hung up')], default='planned', max_length=12)),
                ('call_sid', models.CharField(max_length=64, null=True, unique=True, verbose_name='call SID')),
                ('prompts', models.PositiveSmallIntegerField(default=0, help_text='How often the summary was read.')),
                ('failure', models.CharField(blank=True, max_length=80)),
                ('dialed_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('joined_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('leg_ended_at', models.DateTimeField(help_text="When the carrier said that the person's call is over.", null=True)),
                ('transfer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='telephony.transfer')),
            ],
            options={
                'ordering': ('transfer', 'position'),
                'constraints': [models.UniqueConstraint(fields=('transfer', 'position'), name='attempts_are_numbered'), models.UniqueConstraint(condition=models.Q(('state', 'accepted')), fields=('transfer',), name='one_person_accepts_a_transfer'), models.UniqueConstraint(condition=models.Q(('state__in', ('dialing', 'ringing', 'answered'))), fields=('transfer',), name='one_person_is_called_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='VapiLeg',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('vapi_id', models.CharField(max_length=64, unique=True, verbose_name='VAPI call ID')),
                ('carries_phone', models.BooleanField(default=False, help_text="The caller dialed a number of VAPI's: no audio passes through us.", verbose_name='phone call at VAPI')),
                ('assistant_id', models.CharField(blank=True, max_length=64, verbose_name='assistant ID')),
                ('status', models.CharField(blank=True, help_text="VAPI's code, like in-progress.", max_length=24)),
                ('ended_reason', models.CharField(blank=True, help_text="VAPI's code, like customer-ended-call.", max_length=120)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('cost_usd', models.DecimalField(decimal_places=6, max_digits=10, null=True, verbose_name='cost (USD)')),
                ('costs', models.JSONField(default=list, help_text='Its parts, as VAPI reports them.')),
                ('recording_url', models.TextField(blank=True, verbose_name='recording URL')),
                ('stereo_recording_url', models.TextField(blank=True, verbose_name='stereo recording URL')),
                ('recording_url_expires_at', models.DateTimeField(null=True, verbose_name='recording URL expires at')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('reported_at', models.DateTimeField(null=True, verbose_name='report received at')),
                ('checks', models.PositiveIntegerField(default=0, verbose_name='requests for a report')),
                ('check_at', models.DateTimeField(null=True, verbose_name='next request for a report')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='vapi_legs', to='voice_sessions.call')),
            ],
            options={
                'verbose_name': 'VAPI call',
                'verbose_name_plural': 'VAPI calls',
                'ordering': ('-created_at',),
                'indexes': [models.Index(condition=models.Q(('reported_at__isnull', True)), fields=['check_at'], name='vapi_leg_without_report')],
            },
        ),
        migrations.CreateModel(
            name='Voicemail',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('recording_sid', models.CharField(max_length=34, unique=True, verbose_name='recording SID at Twilio')),
                ('why', models.CharField(choices=[('closed', 'Outside the opening hours'), ('no_agent', 'No agent answers the number'), ('provider_failed', 'The AI provider or the connection failed'), ('nobody_there', 'No person answered')], max_length=16, verbose_name='why a message was taken')),
                ('state', models.CharField(choices=[('fetching', 'Being fetched from Twilio'), ('stored', 'Stored'), ('empty', 'Nothing was said'), ('failed', 'Could not be fetched'), ('lost', 'Lost')], default='fetching', max_length=8)),
                ('explanation', models.CharField(blank=True, help_text='Why it is empty or lost, or why it could not be fetched.', max_length=300)),
                ('duration_s', models.PositiveIntegerField(null=True, verbose_name='duration (seconds)')),
                ('transcript', models.TextField(blank=True)),
                ('no_transcript', models.CharField(blank=True, max_length=300, verbose_name='why there is no transcript')),
                ('heard_at', models.DateTimeField(null=True)),
                ('heard_by', models.CharField(blank=True, max_length=150)),
                ('is_at_carrier', models.BooleanField(default=True, verbose_name='still at Twilio')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='received')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='voicemails', to='voice_sessions.call')),
                ('recording', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='voicemail', to='recordings.recording')),
            ],
            options={
                'verbose_name': 'voicemail message',
                'verbose_name_plural': 'voicemail',
                'ordering': ('-created_at',),
                'indexes': [models.Index(fields=['heard_at', 'state'], name='voicemail_unheard')],
            },
        ),
        migrations.CreateModel(
            name='CallerRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, help_text='Give it to the caller.', primary_key=True, serialize=False, verbose_name='reference')),
                ('number', models.CharField(blank=True, help_text='In any notation. It is removed from here when the request is over.', max_length=16, validators=[voiceapp.core.phones.numbers.validate_e164], verbose_name="caller's number")),
                ('state', models.CharField(choices=[('open', 'Open'), ('deleting', 'Being deleted'), ('deleted', 'Deleted'), ('closed', 'Closed without deletion')], default='open', max_length=8)),
                ('deleted', models.JSONField(default=dict, help_text='How many records of each kind were deleted or emptied.')),
                ('waits_for', models.CharField(blank=True, max_length=300, verbose_name='waits for')),
                ('requested_by', models.CharField(blank=True, max_length=150, verbose_name='entered by')),
                ('deletion_by', models.CharField(blank=True, max_length=150, verbose_name='deletion started by')),
                ('exported_at', models.DateTimeField(null=True, verbose_name='last exported')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='entered')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='completed')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='caller_requests', to='agents.organization')),
            ],
            options={
                'verbose_name': 'caller request',
                'ordering': ('-created_at',),
            },
        ),
    ]


Migration.operations = tables_at_once(Migration.operations)
