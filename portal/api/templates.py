"""The template library, and what is installed: tried on recent events, installed, taken away."""

from datetime import datetime
from typing import Any, Final

from rest_framework import serializers

from kernel import clock
from kernel.errors import Invalid, NotFound
from portal.api import fields
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.engine import chosen
from portal.api.fields import AnyJson, Members, PublicId, Shape, key_of
from portal.api.tenancy import client_of, ready_client
from templates_lib import queries
from templates_lib.actions import installing, trying
from templates_lib.errors import AlreadyInstalled, Recalled
from templates_lib.models import Installation, TemplateVersion
from tenants.tenancy import context
from tenants.tenancy.errors import TenantNotReady
from tenants.tenancy.queries import TenantRef


class NeedShape(Shape):
    """A connection that a template needs."""

    alias = fields.text("What the workflow calls it.")
    connector = fields.text("The kind of system.")
    title = fields.text("What it is for.")


class TemplateShape(Shape):
    """A published version of a template."""

    id = PublicId("tpl", source="public_id", help_text="Id of the version.")
    slug = fields.text("The template's name.")
    version = fields.text("Semantic version.")
    title = fields.text("Its name for people.")
    summary = fields.text("What it does.")
    own = serializers.SerializerMethodField(help_text="Whether it is the partner's own.")
    connections = NeedShape(source="needs", many=True, help_text="Connections that it needs.")
    published_at = fields.at("When it was published.")
    recalled_at = fields.perhaps_at("From when on it is not installed any more.")

    def get_own(self, row: TemplateVersion) -> bool:
        """Whether only this partner has it."""
        return row.partner_id is not None


class TemplateDetail(TemplateShape):
    """A version with all that it takes."""

    input_schema = fields.anything("JSON Schema of its settings.")
    manifest = fields.anything("Systems, events in and out, figures that it feeds.")
    changelog = fields.text("What changed.", allow_blank=True)
    runbook = fields.text("What to do when it fails.", allow_blank=True)
    digest = fields.text("SHA-256 of all that it holds.")


class InstallationShape(Shape):
    """A template at work in a client, pinned to a version."""

    id = PublicId("ins", source="public_id", help_text="Id of the installation.")
    template = fields.text("The template's name.", source="slug")
    version = fields.text("The version that works.", source="version.version")
    title = fields.text("Its name for people.", source="version.title")
    workflow = PublicId("wfl", source="workflow_id", help_text="The workflow that it became.")
    config = fields.anything("Its settings.")
    installed_by = fields.text("Who installed it.")
    installed_at = fields.at("When it was installed.")
    upgraded_at = fields.perhaps_at("When it last changed its version.")


class Choice(Shape):
    """A template with settings."""

    template = fields.text("The template's name.", max_length=60)
    version = fields.text("Which version; the newest if left out.", required=False, default="", max_length=40)
    config = Members(required=False, default=dict, help_text="Settings, as its input schema says.")


class Install(Choice):
    """What to install."""

    connections = serializers.DictField(
        child=PublicId("con"), required=False, default=dict, help_text="Alias to connection."
    )
    activate = fields.yes_or_no("Whether events start runs at once.", required=False, default=True)


class PreviewedShape(Shape):
    """What one recent event would have led to."""

    subject = fields.text("What the event is about.", allow_blank=True)
    time = fields.text("When it happened.")
    status = fields.text("How the run would have ended, or what it would wait for.")
    calls = serializers.ListField(child=serializers.CharField(), help_text="Calls that would have been made.")
    cases = serializers.ListField(child=AnyJson(), help_text="Cases that would have been opened.")
    detail = fields.text("More in words.", allow_blank=True)


class PreviewShape(Shape):
    """What a template would have done; nothing was sent and nothing is kept."""

    looked_at = fields.number("How many recent events would have started it.")
    calls = fields.number("How many calls would have been made.")
    cases = fields.number("How many cases would have been opened.")
    runs = PreviewedShape(many=True, help_text="One for each event, newest first.")


_EXAMPLE: Final = {"template": "order-watch", "config": {}, "activate": True}


class Library(Desk):
    """What can be installed."""

    rule = rule(get="templates.read")

    @operation("list_templates", returns=TemplateShape, many=True)
    def get(self, call: Call) -> Any:
        """The newest version of each template; all of them."""
        return queries.library(call.partner_id)


class Versions(Desk):
    """The versions of a template."""

    rule = rule(get="templates.read")

    @operation("list_template_versions", returns=TemplateShape, many=True)
    def get(self, call: Call, slug: str) -> list[TemplateVersion]:
        """The versions of one template, newest first; all of them."""
        found = list(queries.versions_of(slug, call.partner_id))
        if not found:
            raise NotFound
        return found


class OneVersion(Desk):
    """One version of a template."""

    rule = rule(get="templates.read")

    @operation("get_template_version", returns=TemplateDetail)
    def get(self, call: Call, slug: str, version: str) -> TemplateVersion:
        """A version with its settings' schema, changelog and runbook."""
        found = queries.versions_of(slug, call.partner_id).filter(version=version).first()
        if found is None:
            raise NotFound
        return found


def _wanted(call: Call) -> TemplateVersion:
    """The version that the body names. Raises Invalid, naming the member."""
    name, version = call.body["template"], call.body["version"]
    found = queries.versions_of(name, call.partner_id)
    if version:
        found = found.filter(version=version)
    row = found.filter(recalled_at__isnull=True).first() or found.first()
    if row is None:
        raise Invalid(fields={"version" if version else "template": ["There is no such template."]})
    return row


def _installed(call: Call, tenant: TenantRef, now: datetime) -> Installation:
    body, version = call.body, _wanted(call)
    with context.enter(tenant):
        connections = chosen(body["connections"])
    return installing.install(
        version=version,
        tenant=tenant,
        config={**queries.defaults(version.input_schema), **body["config"]},
        connections=connections,
        activate=body["activate"],
        actor=call.actor,
        now=now,
    )


class Installations(Desk):
    """What is installed here."""

    rule = rule(get="templates.read", post="templates.install")

    @operation("list_installations", returns=InstallationShape, many=True)
    def get(self, call: Call) -> Any:
        """What is installed; all of it."""
        return queries.installations_of(call.tenant.id)

    @operation(
        "install_template",
        takes=Install,
        returns=InstallationShape,
        status=CREATED,
        once=True,
        raises=(Recalled, AlreadyInstalled),
        example=_EXAMPLE,
    )
    def post(self, call: Call) -> Installation:
        """Put a template to work. Settings that are left out are the template's own."""
        return _installed(call, call.tenant, clock.now())


class ClientInstallations(Desk):
    """What is installed in one client."""

    rule = rule(get="templates.read", post="templates.install")

    @operation("list_tenant_installations", returns=InstallationShape, many=True)
    def get(self, call: Call, tenant: str) -> Any:
        """What is installed in a client; all of it."""
        return queries.installations_of(client_of(call, tenant).id)

    @operation(
        "install_template_for_tenant",
        takes=Install,
        returns=InstallationShape,
        status=CREATED,
        once=True,
        raises=(Recalled, AlreadyInstalled, TenantNotReady),
        example=_EXAMPLE,
    )
    def post(self, call: Call, tenant: str) -> Installation:
        """Put a template to work in a client. Settings that are left out are the template's own."""
        return _installed(call, ready_client(call, tenant), clock.now())


class OneInstallation(Desk):
    """One installation."""

    rule = rule(get="templates.read", delete="templates.install")

    @operation("get_installation", returns=InstallationShape)
    def get(self, call: Call, installation: str) -> Installation:
        """One installation."""
        return _installation(call, installation)

    @operation("uninstall_template", status=NO_CONTENT)
    def delete(self, call: Call, installation: str) -> None:
        """Pause the workflow and forget the installation; runs that are under way go on to their end."""
        row = _installation(call, installation)
        installing.uninstall(installation=row, actor=call.actor, now=clock.now())


def _installation(call: Call, installation: str) -> Installation:
    found = queries.installations_of(call.tenant.id).filter(pk=key_of("ins", installation)).first()
    if found is None:
        raise NotFound
    return found


class Preview(Desk):
    """Trying a template."""

    rule = rule(post="templates.install")

    @operation("preview_installation", takes=Choice, returns=PreviewShape, example=_EXAMPLE)
    def post(self, call: Call) -> trying.Preview:
        """Rehearse a template on this client's recent events; calls are answered with success, nothing is sent."""
        version = _wanted(call)
        config = {**queries.defaults(version.input_schema), **call.body["config"]}
        return trying.preview(version, config, until=context.now().timestamp())
