"""The tenancy room opens: workers learn how to enter a tenant."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Public schema only."""

    name = "tenants.tenancy"
    label = "tenancy"

    def ready(self) -> None:
        """Tell the kernel's jobs how to enter a tenant, and register the jobs of this room."""
        from kernel import jobs, work
        from tenants.tenancy import context, tasks  # noqa: F401 - registers its jobs
        from tenants.tenancy.actions import at_files, at_work

        jobs.use_tenant_door(context.door)
        for source in (at_work.Provisioning(), at_work.Deletions(), at_work.Migrations()):
            work.register(source)
        work.register(at_files.Files())
        work.register(at_files.Restores())
