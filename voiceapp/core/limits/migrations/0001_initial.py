from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='LimitCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('limit', models.CharField(max_length=30)),
                ('client_hash', models.CharField(max_length=64)),
                ('window_ends_at', models.BigIntegerField(db_index=True, help_text="The window's last second, of the epoch.")),
                ('used', models.PositiveIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('limit', 'client_hash', 'window_ends_at'), name='limit_count_per_window')],
            },
        ),
    ]
