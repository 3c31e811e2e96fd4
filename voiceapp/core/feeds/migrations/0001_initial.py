from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='FeedTopic',
            fields=[
                ('topic', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('version', models.BigIntegerField()),
                ('changed_at_s', models.BigIntegerField(db_index=True, help_text='Seconds of the epoch.')),
            ],
        ),
    ]
