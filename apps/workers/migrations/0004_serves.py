import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workers", "0003_only_targeted"),
    ]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="serves",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                help_text="The only codebases that it may serve, where its token names some.",
                null=True,
                size=None,
            ),
        ),
    ]
