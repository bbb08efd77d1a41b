from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workers", "0005_agent_programs"),
    ]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="stopping",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It takes nothing new of its own accord: it is being shut down.",
            ),
        ),
        migrations.AlterField(
            model_name="worker",
            name="draining",
            field=models.BooleanField(default=False, help_text="It was asked to take nothing new."),
        ),
    ]
