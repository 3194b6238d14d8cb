import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0005_scoped'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='replaced_by',
            field=models.ForeignKey(blank=True, help_text='The token that was made in its place.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaces', to='access.apitoken'),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='created_by',
            field=models.ForeignKey(help_text="Whose rights bound it; nobody's where the portal itself made it.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to=settings.AUTH_USER_MODEL),
        ),
    ]
