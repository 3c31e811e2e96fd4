import django.db.models.deletion
from django.db import migrations, models

from voiceapp.core.tables_at_once import tables_at_once


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agents', '0001_initial'),
        ('voice_sessions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('livekit_egress', 'LiveKit egress'), ('room_agent', 'Room agent'), ('twilio', 'Twilio'), ('vapi', 'VAPI'), ('bridge', 'This server'), ('page', "Caller's browser")], default='livekit_egress', max_length=20)),
                ('external_id', models.CharField(help_text='Empty until the source has accepted the recording.', max_length=64, null=True, verbose_name='ID at the source')),
                ('state', models.CharField(choices=[('starting', 'Starting'), ('recording', 'Recording'), ('storing', 'Storing'), ('stored', 'Stored'), ('cut_short', 'Stored up to the limit'), ('canceled', 'Canceled'), ('failed', 'Failed')], default='starting', max_length=9)),
                ('file_type', models.CharField(choices=[('mp4', 'MP4'), ('ogg', 'OGG'), ('wav', 'WAV')], default='mp4', max_length=3)),
                ('bucket', models.CharField(blank=True, help_text="Empty: the file is on the server's disk (RECORDINGS_DIR).", max_length=100)),
                ('key', models.CharField(blank=True, help_text="The file's name in the bucket.", max_length=300)),
                ('label', models.CharField(blank=True, help_text='The requested name.', max_length=64)),
                ('url', models.URLField(blank=True, help_text='Set over the API; used instead of the stored file.', max_length=1000, verbose_name='URL')),
                ('transcript', models.TextField(blank=True)),
                ('size_bytes', models.PositiveBigIntegerField(null=True, verbose_name='size (bytes)')),
                ('duration_ms', models.PositiveBigIntegerField(null=True, verbose_name='duration (ms)')),
                ('channels', models.PositiveSmallIntegerField(help_text='2: the caller first, the agent second. 1: both mixed. Empty: unknown.', null=True)),
                ('starts_at_ms', models.BigIntegerField(default=0, help_text="Where the file's first sample is on the clock of the transcript's lines (spoken_at_ms).", verbose_name='starts at (ms)')),
                ('peaks', models.BinaryField(help_text='The waveform: for each channel 1,000 bytes, each the loudest sample of its thousandth.', null=True)),
                ('step', models.CharField(blank=True, choices=[('fetch', 'Fetching the file'), ('check', 'Checking the file'), ('transcode', 'Transcoding'), ('align', 'Aligning the transcript'), ('store', 'Storing the file'), ('clean', 'Deleting copies')], help_text='The step of the finishing that is being done or was tried last; empty when all are done.', max_length=9)),
                ('error', models.CharField(blank=True, max_length=900)),
                ('broken_off_by', models.CharField(blank=True, help_text='Why it ended before its call; what there is, is kept.', max_length=100, verbose_name='ended early by')),
                ('is_automatic', models.BooleanField(default=False, help_text='Started automatically with the call.', verbose_name='automatic')),
                ('reported_at', models.DateTimeField(help_text="The source's own time of its latest report.", null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recordings', to='voice_sessions.call')),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['key'], name='recording_by_key')],
                'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='recording_once_per_external_id'), models.UniqueConstraint(condition=models.Q(('state__in', ('starting', 'recording')), models.Q(('state', 'storing'), models.Q(('source', 'bridge'), _negated=True)), _connector='OR'), fields=('call',), name='one_recording_at_a_time_of_a_call'), models.UniqueConstraint(condition=models.Q(('is_automatic', True)), fields=('call',), name='a_call_is_recorded_by_itself_once')],
            },
        ),
        migrations.CreateModel(
            name='RecordingAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recording_number', models.PositiveBigIntegerField(help_text='It stays when the recording is deleted.', verbose_name='number of the recording')),
                ('principal', models.CharField(max_length=150, verbose_name='who')),
                ('way', models.CharField(choices=[('player', 'Player'), ('download', 'Download'), ('api', 'Link over the API')], max_length=8)),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='when')),
                ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='recording_accesses', to='agents.organization')),
                ('recording', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='accesses', to='recordings.recording')),
            ],
            options={
                'verbose_name': 'access to a recording',
                'verbose_name_plural': 'accesses to recordings',
                'ordering': ('-at', '-id'),
                'indexes': [models.Index(fields=['organization', '-at'], name='recording_access_of_tenant')],
            },
        ),
    ]


Migration.operations = tables_at_once(Migration.operations)
