from django.db import migrations

from apps.core.sealing import SealedField


class Migration(migrations.Migration):
    """The column stays as it is; what is in it can be found by its kind now, to be sealed anew."""

    dependencies = [("federation", "0001_initial")]
    operations = [
        migrations.AlterField(
            "remoteagent", "sealed_secret", SealedField(purpose="codetether/federation/credentials/v1")
        ),
    ]
