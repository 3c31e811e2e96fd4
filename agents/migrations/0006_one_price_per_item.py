"""An item with sizes has no price of its own: what it had becomes a size where it could have been meant as one."""

import django.core.validators
from django.db import migrations, models

NAMES = ("standard", "regular", "normal", "single", "plain")


def settle(apps, schema_editor):
    Item = apps.get_model("agents", "Item")
    Size = apps.get_model("agents", "Size")
    for item in Item.objects.filter(sizes__isnull=False, price__isnull=False).distinct():
        sizes = list(Size.objects.filter(item=item))
        has_default = any(size.is_default for size in sizes)
        if item.price and not has_default and all(size.price != item.price for size in sizes):
            taken = {name.strip().casefold() for size in sizes for name in (size.name, size.spoken_name, *size.aliases.split(","))}
            position = min(size.position for size in sizes)
            Size.objects.filter(item=item).update(position=models.F("position") + 1)
            name = next((name for name in NAMES if name not in taken), f"size {len(sizes) + 1}")
            Size.objects.create(item=item, name=name, price=item.price, is_default=True, position=position)
        Item.objects.filter(pk=item.pk).update(price=None)


def give_back(apps, schema_editor):
    """Before, every item had a price: that of its usual size."""
    Item = apps.get_model("agents", "Item")
    Size = apps.get_model("agents", "Size")
    for item in Item.objects.filter(price__isnull=True):
        size = Size.objects.filter(item=item).order_by("-is_default", "price").first()
        Item.objects.filter(pk=item.pk).update(price=size.price if size else 0)


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0005_fields_of_providers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="item",
            name="price",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="Empty for an item with sizes: it is sold at the prices of its sizes.",
                max_digits=8,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.RunPython(settle, give_back),
    ]
