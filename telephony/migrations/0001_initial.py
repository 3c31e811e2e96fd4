import django.db.models.deletion
import django.utils.timezone
import uuid
import voiceapp.core.phones.numbers
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agents', '0001_initial'),
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
                ('next_step', models.CharField(blank=True, choices=[('hang_up', 'Hang up'), ('dial', 'Transfer'), ('apologize_and_dial', 'Apologize and transfer'), ('take_message', 'Take a message'), ('apologize_and_take_message', 'Apologize and take a message')], max_length=30)),
                ('next_target', models.CharField(blank=True, help_text='Its slug.', max_length=40, verbose_name='transfer target')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('call', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='media_stream', to='voice_sessions.call')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PhoneNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=16, unique=True, validators=[voiceapp.core.phones.numbers.validate_e164])),
                ('label', models.CharField(blank=True, max_length=80)),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
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
    ]
