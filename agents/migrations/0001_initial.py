import agents.catalog.allergens
import agents.catalog.models.service
import agents.catalog.models.speakable
import agents.configuration.models
import agents.invitations.models
import agents.organizations.models
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
import voiceapp.core.phones.numbers
import voiceapp.providers.openai.fields
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from voiceapp.core.tables_at_once import tables_at_once


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Modifier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('spoken_name', models.CharField(blank=True, help_text='How it is said, if different from the name.', max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('aliases', models.CharField(blank=True, help_text='Other names callers use, separated by commas.', max_length=300)),
                ('pos_id', models.CharField(blank=True, help_text='What your point of sale calls it: in exports of orders and in webhooks.', max_length=64, verbose_name='POS ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('is_out', models.BooleanField(default=False, verbose_name='sold out')),
                ('out_until', models.DateTimeField(blank=True, help_text='Available again automatically at this time.', null=True, verbose_name='sold out until')),
                ('count_left', models.PositiveIntegerField(blank=True, help_text='Leave empty if not counted.', null=True, verbose_name='quantity left')),
                ('allergens', models.JSONField(blank=True, default=list, help_text='The agent says these when it is asked. Choose none, and it says that it does not know.', validators=[agents.catalog.allergens.validate_allergens])),
                ('price', models.DecimalField(decimal_places=2, default=0, max_digits=8, validators=[django.core.validators.MinValueValidator(0)])),
                ('is_default', models.BooleanField(default=False, help_text='Used when the caller does not choose.', verbose_name='default')),
            ],
            options={
                'ordering': ('position', 'id'),
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='modifier_price_is_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('slug', models.SlugField(unique=True)),
                ('trade', models.CharField(choices=[('restaurant', 'Restaurant: takes orders'), ('garage', 'Garage: books appointments, answers questions on services and prices, transfers callers'), ('other', 'Other business: answers questions, transfers callers')], default='restaurant', help_text='Sets the tools, prompt and greeting of new agents.', max_length=16, verbose_name='type of business')),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[agents.organizations.models.validate_time_zone])),
                ('country', models.CharField(blank=True, help_text='Phone numbers without a country code are numbers of this country.', max_length=2, validators=[agents.organizations.models.validate_country])),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('de', 'Deutsch'), ('es', 'Español'), ('fr', 'Français')], help_text='Each person can choose another one. Leave empty to follow each browser.', max_length=2, verbose_name='language of the console and call page')),
                ('currency', models.CharField(default='USD', max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Enter three capital letters, like EUR.')])),
                ('tax_percent', models.DecimalField(decimal_places=3, default=Decimal('0'), max_digits=6, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='tax (%)')),
                ('prices_include_tax', models.BooleanField(default=False)),
                ('max_live_calls', models.PositiveIntegerField(default=20, help_text='Further callers hear that all lines are busy.', verbose_name='maximum concurrent calls')),
                ('takes_orders', models.BooleanField(default=True, help_text='When off, agents answer calls but submit no orders.')),
                ('largest_order_total', models.DecimalField(decimal_places=2, default=Decimal('1000'), help_text='Callers with a larger order are transferred to a person.', max_digits=10, verbose_name='maximum order total')),
                ('clerk_id', models.CharField(blank=True, help_text='Like org_…. People who sign in with Clerk for it act for this organization.', max_length=100, null=True, unique=True, verbose_name='Clerk organization ID')),
                ('closed_message', models.CharField(blank=True, help_text='Said to callers outside the opening hours.', max_length=300)),
                ('voicemail', models.CharField(choices=[('off', 'Never'), ('unanswered', 'If the AI provider fails, or nobody answers a transfer'), ('always', 'Also outside the opening hours, and while the agent is paused')], default='unanswered', max_length=10, verbose_name='callers may leave a message')),
                ('voicemail_greeting', models.CharField(blank=True, help_text="Said before the tone. Leave empty for a sentence in the agent's language.", max_length=300)),
                ('voicemail_email', models.EmailField(blank=True, help_text='Messages are sent to this address, with the audio.', max_length=254, verbose_name='voicemail e-mail address')),
                ('deletes_voicemail_at_carrier', models.BooleanField(default=False, help_text='As soon as the audio is stored here.', verbose_name='delete voicemail at Twilio')),
                ('voicemail_days', models.PositiveIntegerField(default=90, help_text='The audio, here and at Twilio, and the transcript. 0: never.', verbose_name='delete voicemail after (days)')),
                ('deletes_recordings_at_provider', models.BooleanField(default=False, help_text='As soon as the audio is stored here. At VAPI this deletes the whole call.', verbose_name='delete recordings at Twilio and VAPI')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'organization',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='Daypart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dayparts', to='agents.organization')),
            ],
            options={
                'verbose_name': 'time of day',
                'verbose_name_plural': 'times of day',
                'ordering': ('organization', 'name'),
                'constraints': [models.UniqueConstraint(fields=('organization', 'name'), name='daypart_names_differ_in_an_organization')],
            },
        ),
        migrations.CreateModel(
            name='DaypartSpan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('days', models.CharField(choices=[('daily', 'Daily'), ('workdays', 'Monday to Friday'), ('weekend', 'Saturday and Sunday'), ('0', 'Monday'), ('1', 'Tuesday'), ('2', 'Wednesday'), ('3', 'Thursday'), ('4', 'Friday'), ('5', 'Saturday'), ('6', 'Sunday')], default='daily', max_length=8)),
                ('begins_at', models.TimeField(verbose_name='from')),
                ('ends_at', models.TimeField(verbose_name='until')),
                ('daypart', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='spans', to='agents.daypart')),
            ],
            options={
                'verbose_name': 'span',
                'ordering': ('begins_at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(choices=[('openai', 'OpenAI Realtime'), ('vapi', 'VAPI assistant')], default='openai', help_text="Listens and speaks for the agent. VAPI uses its assistant's voice, model and turn detection.", max_length=10, verbose_name='AI provider')),
                ('fails_over', models.BooleanField(default=False, help_text='If this one refuses a call or does not answer within 3 seconds, the other one takes it.', verbose_name='fall over to the other AI provider')),
                ('prompt', models.TextField(blank=True, help_text='Who the agent is and how it behaves. The menu is added automatically.', validators=[django.core.validators.MaxLengthValidator(32000)])),
                ('greeting', models.CharField(default='Hello! How can I help you?', max_length=300)),
                ('protects_greeting', models.BooleanField(default=False, help_text='The caller cannot interrupt the greeting.', verbose_name='uninterruptible greeting')),
                ('voice', models.CharField(blank=True, max_length=80, validators=[voiceapp.providers.openai.fields.validate_voice])),
                ('model', models.CharField(blank=True, max_length=80, validators=[voiceapp.providers.openai.fields.validate_model])),
                ('language', models.CharField(default='en', help_text='Other languages: an ISO 639-1 code, with a country or script where needed, like pt-BR or zh-Hant.', max_length=16)),
                ('tools', models.JSONField(blank=True, default=agents.configuration.models.default_tools, validators=[agents.configuration.models.validate_tools])),
                ('noise_reduction', models.CharField(blank=True, choices=[('', 'Off'), ('near_field', 'Near field (handset)'), ('far_field', 'Far field (speakerphone)')], default='', max_length=12)),
                ('turn_detection', models.CharField(choices=[('server_vad', 'Server VAD (by volume)'), ('semantic_vad', 'Semantic VAD (by meaning)')], default='server_vad', max_length=16)),
                ('vad_threshold', models.FloatField(default=0.5, help_text='0 to 1. Higher: only louder sounds count as speech. For server VAD.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='VAD threshold')),
                ('vad_prefix_padding_ms', models.PositiveIntegerField(default=300, help_text='For server VAD.', validators=[django.core.validators.MaxValueValidator(2000)], verbose_name='audio kept before speech (ms)')),
                ('vad_silence_ms', models.PositiveIntegerField(default=500, help_text='For server VAD.', validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(5000)], verbose_name='silence before the turn ends (ms)')),
                ('vad_eagerness', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('auto', 'Auto')], default='auto', help_text='Higher: the agent responds sooner. For semantic VAD.', max_length=8, verbose_name='VAD eagerness')),
                ('reprompt', models.CharField(default='Are you still there?', help_text='Said when the caller is silent.', max_length=200)),
                ('reprompt_after_s', models.PositiveIntegerField(default=8, validators=[django.core.validators.MinValueValidator(3), django.core.validators.MaxValueValidator(120)], verbose_name='silence before the reprompt (s)')),
                ('silence_goodbye', models.CharField(default='I cannot hear you, so I will hang up now. Goodbye.', max_length=200, verbose_name='goodbye to a silent caller')),
                ('goodbye_after_s', models.PositiveIntegerField(default=20, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(600)], verbose_name='silence before the goodbye (s)')),
                ('filler', models.CharField(default='One moment, please.', help_text='Said while the caller waits.', max_length=200, verbose_name='filler phrase')),
                ('filler_after_ms', models.PositiveIntegerField(default=1500, validators=[django.core.validators.MinValueValidator(300), django.core.validators.MaxValueValidator(10000)], verbose_name='wait before the filler phrase (ms)')),
                ('longest_call_minutes', models.PositiveIntegerField(default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)], verbose_name='maximum call duration (min)')),
                ('recording', models.CharField(choices=[('off', 'Not recorded'), ('bridge', 'This server'), ('twilio', 'Twilio'), ('vapi', 'VAPI')], default='off', help_text='One of them, in two channels: the caller and the agent. This server records calls in the browser, too; on the call page only if the caller agrees. Twilio records calls over Twilio only, and goes on after a transfer; VAPI records calls that it plays. Sessions that other pages begin over /realtime_session or /voice-session are never recorded: their sound passes no server of ours.', max_length=6, verbose_name='phone calls are recorded by')),
                ('room_recording', models.CharField(choices=[('off', 'Not recorded'), ('egress', 'LiveKit (egress)'), ('agent', 'The agent in the room')], default='egress', help_text='Where the session was requested with a recording. LiveKit records everybody, and needs a bucket; the agent records what it hears and says, until it leaves.', max_length=6, verbose_name='calls in rooms are recorded by')),
                ('name', models.CharField(max_length=80)),
                ('is_default', models.BooleanField(default=False, help_text='Answers calls to phone numbers without an agent of their own.', verbose_name='default agent')),
                ('is_paused', models.BooleanField(default=False, help_text='Callers hear that nobody can take their call.', verbose_name='paused')),
                ('vapi_assistant_id', models.CharField(blank=True, help_text="The assistant that answers calls over VAPI. Empty: the server's default (VAPI_ASSISTANT_ID).", max_length=80, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9_-]+$', "Enter an assistant's ID as VAPI shows it.")], verbose_name='VAPI assistant ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='agents', to='agents.organization')),
            ],
            options={
                'ordering': ('organization', 'name'),
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('organization',), name='one_default_agent_per_organization'), models.UniqueConstraint(fields=('organization', 'name'), name='agent_names_differ_in_an_organization')],
            },
        ),
        migrations.CreateModel(
            name='Menu',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('daypart', models.ForeignKey(blank=True, help_text='Sold only then. Empty: always.', null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='menus', to='agents.daypart', verbose_name='time of day')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='menus', to='agents.organization')),
            ],
            options={
                'ordering': ('organization', 'name'),
            },
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('position', models.PositiveIntegerField(default=0)),
                ('daypart', models.ForeignKey(blank=True, help_text='Sold only then. Empty: as its menu.', null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='categories', to='agents.daypart', verbose_name='time of day')),
                ('menu', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='categories', to='agents.menu')),
            ],
            options={
                'verbose_name_plural': 'categories',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='AgentVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(choices=[('openai', 'OpenAI Realtime'), ('vapi', 'VAPI assistant')], default='openai', help_text="Listens and speaks for the agent. VAPI uses its assistant's voice, model and turn detection.", max_length=10, verbose_name='AI provider')),
                ('fails_over', models.BooleanField(default=False, help_text='If this one refuses a call or does not answer within 3 seconds, the other one takes it.', verbose_name='fall over to the other AI provider')),
                ('prompt', models.TextField(blank=True, help_text='Who the agent is and how it behaves. The menu is added automatically.', validators=[django.core.validators.MaxLengthValidator(32000)])),
                ('greeting', models.CharField(default='Hello! How can I help you?', max_length=300)),
                ('protects_greeting', models.BooleanField(default=False, help_text='The caller cannot interrupt the greeting.', verbose_name='uninterruptible greeting')),
                ('voice', models.CharField(blank=True, max_length=80, validators=[voiceapp.providers.openai.fields.validate_voice])),
                ('model', models.CharField(blank=True, max_length=80, validators=[voiceapp.providers.openai.fields.validate_model])),
                ('language', models.CharField(default='en', help_text='Other languages: an ISO 639-1 code, with a country or script where needed, like pt-BR or zh-Hant.', max_length=16)),
                ('tools', models.JSONField(blank=True, default=agents.configuration.models.default_tools, validators=[agents.configuration.models.validate_tools])),
                ('noise_reduction', models.CharField(blank=True, choices=[('', 'Off'), ('near_field', 'Near field (handset)'), ('far_field', 'Far field (speakerphone)')], default='', max_length=12)),
                ('turn_detection', models.CharField(choices=[('server_vad', 'Server VAD (by volume)'), ('semantic_vad', 'Semantic VAD (by meaning)')], default='server_vad', max_length=16)),
                ('vad_threshold', models.FloatField(default=0.5, help_text='0 to 1. Higher: only louder sounds count as speech. For server VAD.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='VAD threshold')),
                ('vad_prefix_padding_ms', models.PositiveIntegerField(default=300, help_text='For server VAD.', validators=[django.core.validators.MaxValueValidator(2000)], verbose_name='audio kept before speech (ms)')),
                ('vad_silence_ms', models.PositiveIntegerField(default=500, help_text='For server VAD.', validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(5000)], verbose_name='silence before the turn ends (ms)')),
                ('vad_eagerness', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('auto', 'Auto')], default='auto', help_text='Higher: the agent responds sooner. For semantic VAD.', max_length=8, verbose_name='VAD eagerness')),
                ('reprompt', models.CharField(default='Are you still there?', help_text='Said when the caller is silent.', max_length=200)),
                ('reprompt_after_s', models.PositiveIntegerField(default=8, validators=[django.core.validators.MinValueValidator(3), django.core.validators.MaxValueValidator(120)], verbose_name='silence before the reprompt (s)')),
                ('silence_goodbye', models.CharField(default='I cannot hear you, so I will hang up now. Goodbye.', max_length=200, verbose_name='goodbye to a silent caller')),
                ('goodbye_after_s', models.PositiveIntegerField(default=20, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(600)], verbose_name='silence before the goodbye (s)')),
                ('filler', models.CharField(default='One moment, please.', help_text='Said while the caller waits.', max_length=200, verbose_name='filler phrase')),
                ('filler_after_ms', models.PositiveIntegerField(default=1500, validators=[django.core.validators.MinValueValidator(300), django.core.validators.MaxValueValidator(10000)], verbose_name='wait before the filler phrase (ms)')),
                ('longest_call_minutes', models.PositiveIntegerField(default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)], verbose_name='maximum call duration (min)')),
                ('recording', models.CharField(choices=[('off', 'Not recorded'), ('bridge', 'This server'), ('twilio', 'Twilio'), ('vapi', 'VAPI')], default='off', help_text='One of them, in two channels: the caller and the agent. This server records calls in the browser, too; on the call page only if the caller agrees. Twilio records calls over Twilio only, and goes on after a transfer; VAPI records calls that it plays. Sessions that other pages begin over /realtime_session or /voice-session are never recorded: their sound passes no server of ours.', max_length=6, verbose_name='phone calls are recorded by')),
                ('room_recording', models.CharField(choices=[('off', 'Not recorded'), ('egress', 'LiveKit (egress)'), ('agent', 'The agent in the room')], default='egress', help_text='Where the session was requested with a recording. LiveKit records everybody, and needs a bucket; the agent records what it hears and says, until it leaves.', max_length=6, verbose_name='calls in rooms are recorded by')),
                ('number', models.PositiveIntegerField()),
                ('note', models.CharField(blank=True, max_length=200)),
                ('published_by', models.CharField(blank=True, max_length=150)),
                ('published_at', models.DateTimeField(auto_now_add=True)),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='agents.agent')),
            ],
            options={
                'ordering': ('agent', '-number'),
                'constraints': [models.UniqueConstraint(fields=('agent', 'number'), name='agent_versions_are_numbered')],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('spoken_name', models.CharField(blank=True, help_text='How it is said, if different from the name.', max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('aliases', models.CharField(blank=True, help_text='Other names callers use, separated by commas.', max_length=300)),
                ('pos_id', models.CharField(blank=True, help_text='What your point of sale calls it: in exports of orders and in webhooks.', max_length=64, verbose_name='POS ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('is_out', models.BooleanField(default=False, verbose_name='sold out')),
                ('out_until', models.DateTimeField(blank=True, help_text='Available again automatically at this time.', null=True, verbose_name='sold out until')),
                ('count_left', models.PositiveIntegerField(blank=True, help_text='Leave empty if not counted.', null=True, verbose_name='quantity left')),
                ('allergens', models.JSONField(blank=True, default=list, help_text='The agent says these when it is asked. Choose none, and it says that it does not know.', validators=[agents.catalog.allergens.validate_allergens])),
                ('description', models.CharField(blank=True, max_length=300)),
                ('price', models.DecimalField(blank=True, decimal_places=2, help_text='Leave empty for an item with sizes: each size has its own price.', max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('most_per_order', models.PositiveIntegerField(default=50, verbose_name='maximum per order')),
                ('daypart', models.ForeignKey(blank=True, help_text='Sold only then. Empty: as its category, or its menu.', null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='items', to='agents.daypart', verbose_name='time of day')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='agents.category')),
            ],
            options={
                'ordering': ('position', 'id'),
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='item_price_is_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='MenuChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200)),
                ('made_by', models.CharField(max_length=150)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('entries', models.JSONField(default=list)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('undone_by', models.CharField(blank=True, max_length=150)),
                ('menu', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='agents.menu')),
            ],
            options={
                'verbose_name': 'change of a menu',
                'verbose_name_plural': 'changes of menus',
                'ordering': ('-made_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='ModifierGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('minimum', models.PositiveIntegerField(default=0, verbose_name='minimum choices')),
                ('maximum', models.PositiveIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1)], verbose_name='maximum choices')),
                ('position', models.PositiveIntegerField(default=0)),
                ('items', models.ManyToManyField(blank=True, related_name='modifier_groups', to='agents.item')),
                ('menu', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='modifier_groups', to='agents.menu')),
                ('under', models.ManyToManyField(blank=True, help_text='The agent asks only when one of these modifiers is chosen.', related_name='modifier_groups', to='agents.modifier', verbose_name='follow-up to')),
            ],
            options={
                'ordering': ('position', 'id'),
                'constraints': [models.CheckConstraint(condition=models.Q(('maximum__gte', models.F('minimum'))), name='group_maximum_covers_minimum')],
            },
        ),
        migrations.CreateModel(
            name='OpeningHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                ('opens_at', models.TimeField()),
                ('closes_at', models.TimeField()),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='agents.organization')),
            ],
            options={
                'verbose_name_plural': 'opening hours',
                'ordering': ('weekday', 'opens_at'),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='UserSettings',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='settings', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('de', 'Deutsch'), ('es', 'Español'), ('fr', 'Français')], max_length=2)),
            ],
            options={
                'verbose_name_plural': 'user settings',
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('manager', 'Manager'), ('staff', 'Staff'), ('kitchen', 'Kitchen'), ('viewer', 'Read only')], default='staff', max_length=16)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='agents.organization')),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
                'constraints': [models.UniqueConstraint(fields=('organization', 'user'), name='one_membership_per_person')],
            },
        ),
        migrations.CreateModel(
            name='KeptGreeting',
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
                ('provider', models.CharField(max_length=10)),
                ('model', models.CharField(max_length=80)),
                ('voice', models.CharField(max_length=80)),
                ('language', models.CharField(max_length=16)),
                ('text', models.CharField(max_length=600)),
                ('audio', models.BinaryField(default=b'', help_text='µ-law at 8 kHz, without a header.')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kept_greetings', to='agents.organization')),
            ],
            options={
                'ordering': ('id',),
                'indexes': [models.Index(fields=['state', 'due_at'], name='kept_greeting_due')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'provider', 'model', 'voice', 'language', 'text'), name='a_greeting_is_kept_once')],
            },
        ),
        migrations.CreateModel(
            name='CallPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('who_may_call', models.CharField(choices=[('staff', 'Staff only, signed in'), ('link', 'Anyone who has the link'), ('sites', 'Visitors of the websites below, inside these')], default='staff', help_text='Staff always may. Visitors call without signing in, within the limits below.', max_length=10)),
                ('sites', models.TextField(blank=True, help_text='One on each line, like https://www.example.com. No other website can show it in a frame.', verbose_name='websites that show the page')),
                ('uses_push_to_talk', models.BooleanField(default=False, help_text='The page begins with a closed microphone: callers hold a button, or the space bar, while they talk.', verbose_name='push-to-talk')),
                ('daily_budget_usd', models.DecimalField(decimal_places=2, default=Decimal('10'), help_text="What they may cost at the AI provider from midnight to midnight in the organization's time zone. It is never exceeded: a call begins only if the most that it may cost is left.", max_digits=8, validators=[django.core.validators.MinValueValidator(0)], verbose_name="daily budget of visitors' calls (USD)")),
                ('longest_call_minutes', models.PositiveIntegerField(default=5, help_text='The agent says goodbye then. A shorter maximum of the agent itself holds, too.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name="maximum duration of a visitor's call (min)")),
                ('calls_at_once', models.PositiveIntegerField(default=3, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='maximum concurrent calls of visitors')),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='call_page', to='agents.organization')),
            ],
            options={
                'verbose_name': 'call page',
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('prefix', models.CharField(editable=False, max_length=10, unique=True)),
                ('secret_sha256', models.CharField(editable=False, max_length=64)),
                ('scopes', models.JSONField(default=agents.organizations.models.all_scopes)),
                ('created_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Leave empty for a key that does not expire.', null=True)),
                ('last_used_at', models.DateTimeField(editable=False, help_text='Accurate to the minute.', null=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('replaced_by', models.OneToOneField(editable=False, help_text='The key created by rotating this one.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaces', to='agents.apikey')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to='agents.organization')),
            ],
            options={
                'verbose_name': 'API key',
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='RealtimeEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(help_text='Like https://voice.example.com. Client secrets are requested from its /v1/realtime/client_secrets.', max_length=261, validators=[agents.configuration.models.validate_origin])),
                ('sealed_key', models.TextField(editable=False)),
                ('key_set_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='realtime_endpoints', to='agents.organization')),
            ],
            options={
                'ordering': ('origin',),
                'constraints': [models.UniqueConstraint(fields=('organization', 'origin'), name='origins_differ_in_an_organization')],
            },
        ),
        migrations.CreateModel(
            name='Service',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('spoken_name', models.CharField(blank=True, help_text='How it is said, if different from the name.', max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('aliases', models.CharField(blank=True, help_text='Other names callers use, separated by commas.', max_length=300)),
                ('position', models.PositiveIntegerField(default=0)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('price', models.DecimalField(blank=True, decimal_places=2, help_text='Leave empty if it depends on the work.', max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('duration_minutes', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(720), agents.catalog.models.service.validate_slots], verbose_name='duration (min)')),
                ('buffer_before_minutes', models.PositiveSmallIntegerField(default=0, help_text='Kept free of other appointments before it.', validators=[django.core.validators.MaxValueValidator(240), agents.catalog.models.service.validate_slots], verbose_name='buffer before (min)')),
                ('buffer_after_minutes', models.PositiveSmallIntegerField(default=0, help_text='Kept free of other appointments after it.', validators=[django.core.validators.MaxValueValidator(240), agents.catalog.models.service.validate_slots], verbose_name='buffer after (min)')),
                ('grid_minutes', models.PositiveSmallIntegerField(choices=[(5, 'Every 5 minutes'), (10, 'Every 10 minutes'), (15, 'Every quarter of an hour'), (20, 'Every 20 minutes'), (30, 'Every half hour'), (60, 'Every hour')], default=30, verbose_name='start times')),
                ('lead_time_minutes', models.PositiveIntegerField(default=60, help_text='Booked by the agent no later than this before it begins.', validators=[django.core.validators.MaxValueValidator(525600)], verbose_name='lead time (min)')),
                ('days_ahead', models.PositiveSmallIntegerField(default=60, help_text='Booked by the agent no earlier than this before it begins.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)], verbose_name='bookable days ahead')),
                ('needs_staff', models.BooleanField(default=True, verbose_name='needs a person')),
                ('needs_bay', models.BooleanField(default=False, verbose_name='needs a bay')),
                ('is_active', models.BooleanField(default=True, help_text='Only active services are offered.', verbose_name='active')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='services', to='agents.organization')),
            ],
            options={
                'ordering': ('position', 'id'),
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('organization', 'name'), name='service_names_differ_in_an_organization'), models.CheckConstraint(condition=models.Q(('needs_staff', True), ('needs_bay', True), _connector='OR'), name='service_needs_a_resource', violation_error_message='A service needs a person, a bay, or both.'), models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='service_price_is_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='Resource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('staff', 'Person'), ('bay', 'Bay')], default='staff', max_length=8)),
                ('is_active', models.BooleanField(default=True, help_text='Only active ones get new appointments.', verbose_name='active')),
                ('position', models.PositiveIntegerField(default=0, help_text='The first one that is free gets the appointment.')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='resources', to='agents.organization')),
                ('services', models.ManyToManyField(blank=True, help_text='Leave empty if it can do all of them.', related_name='resources', to='agents.service')),
            ],
            options={
                'ordering': ('position', 'id'),
                'constraints': [models.UniqueConstraint(fields=('organization', 'name'), name='resource_names_differ_in_an_organization')],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(verbose_name='until')),
                ('note', models.CharField(blank=True, max_length=120)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='absences', to='agents.resource')),
            ],
            options={
                'ordering': ('starts_at',),
                'indexes': [models.Index(fields=['resource', 'ends_at'], name='absence_of_resource')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='absence_ends_after_it_starts', violation_error_message='An absence ends after it starts.')],
            },
        ),
        migrations.CreateModel(
            name='ResourceHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                ('opens_at', models.TimeField()),
                ('closes_at', models.TimeField()),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='agents.resource')),
            ],
            options={
                'verbose_name': 'working hours',
                'verbose_name_plural': 'working hours',
                'ordering': ('weekday', 'opens_at'),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Size',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('spoken_name', models.CharField(blank=True, help_text='How it is said, if different from the name.', max_length=80, validators=[agents.catalog.models.speakable.validate_speakable])),
                ('aliases', models.CharField(blank=True, help_text='Other names callers use, separated by commas.', max_length=300)),
                ('pos_id', models.CharField(blank=True, help_text='What your point of sale calls it: in exports of orders and in webhooks.', max_length=64, verbose_name='POS ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('is_out', models.BooleanField(default=False, verbose_name='sold out')),
                ('out_until', models.DateTimeField(blank=True, help_text='Available again automatically at this time.', null=True, verbose_name='sold out until')),
                ('count_left', models.PositiveIntegerField(blank=True, help_text='Leave empty if not counted.', null=True, verbose_name='quantity left')),
                ('price', models.DecimalField(decimal_places=2, max_digits=8, validators=[django.core.validators.MinValueValidator(0)])),
                ('is_default', models.BooleanField(default=False, verbose_name='default')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sizes', to='agents.item')),
            ],
            options={
                'ordering': ('position', 'id'),
                'abstract': False,
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('item',), name='one_default_size_per_item'), models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='size_price_is_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='SpecialDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField()),
                ('opens_at', models.TimeField(blank=True, null=True)),
                ('closes_at', models.TimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=120)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='special_days', to='agents.organization')),
            ],
            options={
                'ordering': ('date',),
                'constraints': [models.UniqueConstraint(fields=('organization', 'date'), name='one_special_day_per_date'), models.CheckConstraint(condition=models.Q(models.Q(('closes_at__isnull', True), ('opens_at__isnull', True)), models.Q(('closes_at__isnull', False), ('opens_at__isnull', False)), _connector='OR'), name='special_day_has_both_times_or_none')],
            },
        ),
        migrations.CreateModel(
            name='SpokenWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('without', 'Removes what follows (“without”)'), ('free', 'Removes what precedes it (“-free”)'), ('less', 'Less of it; the agent asks (“easy on”)'), ('more', 'More of it (“extra”)'), ('only', 'Only this; the agent asks (“just”)'), ('aside', 'On the side; the agent asks (“on the side”)'), ('with', 'Adds what follows (“with”)'), ('and', 'Joins two (“and”)'), ('filler', 'Has no meaning (“please”)'), ('content', 'Ordinary word, without a special meaning'), ('known', 'Correct word, never a misspelling of another')], max_length=12, verbose_name='meaning')),
                ('text', models.CharField(help_text='As callers say it. Case and accents do not matter.', max_length=40, verbose_name='word or phrase')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='spoken_words', to='agents.organization')),
            ],
            options={
                'verbose_name': 'spoken word',
                'ordering': ('kind', 'text'),
                'constraints': [models.UniqueConstraint(fields=('organization', 'text'), name='one_meaning_per_spoken_word')],
            },
        ),
        migrations.CreateModel(
            name='TransferTarget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='How the agent refers to it, like front-desk.', max_length=40)),
                ('name', models.CharField(max_length=80)),
                ('when_to_use', models.CharField(blank=True, help_text='Shown to the agent, like “complaints and large orders”.', max_length=200)),
                ('number', models.CharField(max_length=16, validators=[voiceapp.core.phones.numbers.validate_dialable])),
                ('is_fallback', models.BooleanField(default=False, help_text='Called when the agent fails.', verbose_name='fallback')),
                ('department', models.CharField(blank=True, help_text='If this person does not take a call, the others of the department are called.', max_length=40)),
                ('position', models.PositiveIntegerField(default=0, help_text='Lower numbers are called first.', verbose_name='order')),
                ('takes_calls_on_special_days', models.BooleanField(default=False, help_text="The hours below also hold on the organization's special days. When off, no call is placed on a closed day, and on a day with other hours only within both.")),
                ('mode', models.CharField(choices=[('cold', 'Connect at once'), ('warm', 'Announce the call first; the person accepts it with key 1')], default='cold', max_length=4, verbose_name='transfer')),
                ('caller_id', models.CharField(choices=[('organization', "The organization's number"), ('caller', "The caller's own number, where the carrier allows it")], default='organization', max_length=12, verbose_name='caller ID')),
                ('if_nobody', models.CharField(choices=[('message', 'Can leave a message'), ('agent', 'Goes back to the agent')], default='message', max_length=8, verbose_name='if nobody answers')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transfer_targets', to='agents.organization')),
            ],
            options={
                'ordering': ('position', 'id'),
                'constraints': [models.UniqueConstraint(fields=('organization', 'slug'), name='transfer_slugs_differ_in_an_organization'), models.UniqueConstraint(condition=models.Q(('is_fallback', True)), fields=('organization',), name='one_fallback_target_per_organization')],
            },
        ),
        migrations.CreateModel(
            name='TransferHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                ('opens_at', models.TimeField()),
                ('closes_at', models.TimeField()),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='agents.transfertarget')),
            ],
            options={
                'verbose_name_plural': 'transfer hours',
                'ordering': ('weekday', 'opens_at'),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PrivacySettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('announcement', models.CharField(blank=True, help_text='Said before the greeting of each call that its agent has recorded, and cannot be interrupted. Empty: nothing is said.', max_length=200)),
                ('stop_key', models.CharField(blank=True, choices=[('', 'None'), ('1', '1'), ('2', '2'), ('3', '3'), ('4', '4'), ('5', '5'), ('6', '6'), ('7', '7'), ('8', '8'), ('9', '9')], help_text='A caller who presses it on the phone is not recorded any more, and what was recorded of the call is deleted at once. Callers may also say to the agent that they do not want to be recorded.', max_length=1, verbose_name='key that stops the recording')),
                ('stop_hint', models.CharField(blank=True, help_text='Said to callers on the phone after the announcement. It has to name the key as a number.', max_length=200, verbose_name='sentence about the key')),
                ('deletes_declined_words', models.BooleanField(default=True, help_text='Of a caller who does not want to be recorded, nothing that was said is kept in writing either: the transcript so far is emptied, and nothing more is written into it. Orders and appointments stay. Off: the transcript is kept.', verbose_name='delete the words, too')),
                ('recording_days', models.PositiveIntegerField(default=90, help_text="The audio, here and at the provider that recorded it. Transcripts stay. Voicemail has its own days on the organization's page. 0: never.", validators=[django.core.validators.MaxValueValidator(3650)], verbose_name='delete recordings after (days)')),
                ('remembers_callers', models.BooleanField(default=True, help_text='A caller who asks for “the usual” gets what this number has ordered most often in the last year. Off: earlier orders are not looked up.', verbose_name='know returning callers')),
                ('is_on_hold', models.BooleanField(default=False, help_text="Nothing is deleted while it is on: neither by age nor at a caller's request.", verbose_name='legal hold')),
                ('hold_reason', models.CharField(blank=True, help_text="Such as the name of a case. No caller's data.", max_length=200, verbose_name='reason for the hold')),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='privacy_settings', to='agents.organization')),
            ],
            options={
                'verbose_name': 'privacy settings',
                'verbose_name_plural': 'privacy settings',
            },
        ),
        migrations.CreateModel(
            name='DeliverySettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=True, help_text='Agents with the tool “Choose pickup or delivery” ask for the address and name the fee.', verbose_name='deliver')),
                ('postcode', models.CharField(blank=True, help_text='From there the radius of a zone is measured. Only zones with a radius need it.', max_length=12, verbose_name='our postcode')),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='delivery', to='agents.organization')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'delivery',
            },
        ),
        migrations.CreateModel(
            name='DeliveryZone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('postcodes', models.CharField(blank=True, help_text='Separated by commas or spaces: “10115, 10117”. 101* is all that begin so.', max_length=2000)),
                ('radius_km', models.DecimalField(blank=True, decimal_places=1, help_text='Besides the postcodes: all that are at most so far away, as the crow flies.', max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0.1'))], verbose_name='radius (km)')),
                ('fee', models.DecimalField(decimal_places=2, default=0, max_digits=8, validators=[django.core.validators.MinValueValidator(0)])),
                ('minimum', models.DecimalField(decimal_places=2, default=0, help_text='Of the items, without the fee.', max_digits=8, validators=[django.core.validators.MinValueValidator(0)], verbose_name='minimum order')),
                ('free_from', models.DecimalField(blank=True, decimal_places=2, help_text='From items of this price on there is no fee. Empty: there always is.', max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='free from')),
                ('minutes', models.PositiveIntegerField(default=20, help_text='Added to the preparation time.', validators=[django.core.validators.MaxValueValidator(240)], verbose_name='drive (minutes)')),
                ('position', models.PositiveIntegerField(default=0)),
                ('settings', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='zones', to='agents.deliverysettings')),
            ],
            options={
                'verbose_name': 'delivery zone',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='PostcodePlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('postcode', models.CharField(help_text='Without spaces, in capitals.', max_length=12)),
                ('place', models.CharField(max_length=180)),
                ('latitude', models.FloatField()),
                ('longitude', models.FloatField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('country', 'postcode', 'place'), name='one_row_per_place')],
            },
        ),
        migrations.AddField(
            model_name='agent',
            name='published_version',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agents.agentversion'),
        ),
        migrations.AddField(
            model_name='modifier',
            name='group',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='modifiers', to='agents.modifiergroup'),
        ),
    ]


Migration.operations = tables_at_once(Migration.operations)
