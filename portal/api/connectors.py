"""Connections to the client's systems. A secret can be written and used, never read."""

from typing import Any

from rest_framework import serializers

from automations.connectors import actions, queries, registry
from automations.connectors.contract import Connector
from automations.connectors.enums import AuthKind, ConnectionState
from automations.connectors.errors import InUse, NameTaken, SettingsWrong, UnknownConnector
from automations.connectors.queries import ConnectionView
from kernel import clock
from portal.api import fields
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import Members, PublicId, Shape


class AuthShape(Shape):
    """A way to sign in to a system."""

    kind = fields.one_of(AuthKind.choices, "How calls prove who they are.")
    secret_label = fields.text("What its secret is called.", allow_blank=True)


class ConnectorShape(Shape):
    """A kind of system that can be connected."""

    name = fields.text("Its name in `connector`.")
    title = fields.text("Its name for people.")
    category = fields.text("What kind of system it is.")
    summary = fields.text("What it is for.")
    auth = AuthShape(many=True, help_text="Ways to sign in; the first is taken if none is chosen.")
    settings_schema = fields.anything("JSON Schema of `settings`.", source="settings.document")
    operations = serializers.SerializerMethodField(help_text="What can be done with it.")
    webhooks = serializers.SerializerMethodField(help_text="Whether it sends webhooks.")

    def get_operations(self, kind: Connector) -> list[str]:
        """Names of its operations."""
        return [one.name for one in kind.operations]

    def get_webhooks(self, kind: Connector) -> bool:
        """Whether it has an inbound side."""
        return kind.inbound is not None


class UseShape(Shape):
    """Something that works through a connection."""

    kind = fields.text("What it is.")
    id = fields.text("Its public id.")
    title = fields.text("Its name.")


class ConnectionShape(Shape):
    """A connection to one system."""

    id = PublicId("con", source="public_id", help_text="Id of the connection.")
    name = fields.text("Its name.")
    connector = fields.text("What kind of system it is.")
    auth = fields.one_of(AuthKind.choices, "How calls sign in.")
    settings = fields.anything("What is no secret, as the connector's schema says.")
    has_secret = fields.yes_or_no("Whether a secret is set.")
    secret_hint = fields.text("The last four characters of a long secret.", allow_blank=True)
    secret_set_at = fields.perhaps_at("When the secret was set.")
    secret_expires_at = fields.perhaps_at("When its system stops taking it, as somebody said.")
    state = fields.one_of(ConnectionState.choices, "How it was when it was last tested.")
    state_detail = fields.text("The same in words.", allow_blank=True)
    last_used_at = fields.perhaps_at("When a call went through it, to the minute.")
    last_checked_at = fields.perhaps_at("When it was last tested.")
    calls_at_once = fields.number("Calls at a time; null: as many as there are.", allow_null=True)


class ConnectionDetail(ConnectionShape):
    """A connection with what works through it."""

    uses = UseShape(many=True, help_text="What works through it.")


class ConnectionQuery(Shape):
    """Which connections."""

    connector = fields.text("To this kind of system.", required=False)
    text = fields.text("Stands in the name.", required=False)


class NewConnection(Shape):
    """A connection to make; its secret is set afterwards."""

    name = fields.text("Its name.", max_length=120)
    connector = fields.text("What kind of system it is.", max_length=40)
    auth = fields.one_of(
        ["", *AuthKind.values], "How calls sign in.", required=False, default="", allow_blank=True
    )
    settings = Members(required=False, default=dict, help_text="As the connector's schema says.")


class ConnectionChange(Shape):
    """What to change; what is left out stays."""

    name = fields.text("Its name.", required=False, max_length=120)
    auth = fields.one_of(AuthKind.choices, "How calls sign in.", required=False)
    settings = Members(required=False, help_text="All of them; as the connector's schema says.")


class NewSecret(Shape):
    """A secret."""

    secret = serializers.CharField(
        max_length=8_000,
        trim_whitespace=False,
        write_only=True,
        help_text="All on one line; nobody reads it again.",
    )
    expires_at = fields.perhaps_at("When its system stops taking it.", required=False, default=None)


class TestResult(Shape):
    """What a test found."""

    state = fields.one_of(ConnectionState.choices, "How the connection is.")
    detail = fields.text("The same in words.", allow_blank=True)
    status = fields.number("What the system answered; null if it did not.", allow_null=True)


class Connectors(Desk):
    """What can be connected."""

    rule = rule(get="connectors.read")

    @operation("list_connectors", returns=ConnectorShape, many=True)
    def get(self, call: Call) -> list[Connector]:
        """Every kind of system that can be connected; all of them."""
        return registry.connectors()


class Connections(Desk):
    """What is connected."""

    rule = rule(get="connectors.read", post="connectors.edit")

    @operation("list_connections", query=ConnectionQuery, returns=ConnectionShape, many=True)
    def get(self, call: Call) -> list[ConnectionView]:
        """Connections by name; all that match."""
        return queries.connections(**call.query)

    @operation(
        "create_connection",
        takes=NewConnection,
        returns=ConnectionDetail,
        status=CREATED,
        once=True,
        raises=(UnknownConnector, SettingsWrong, NameTaken),
        example={
            "name": "Book keeping",
            "connector": "erp",
            "settings": {"base_url": "https://erp.example.com"},
        },
    )
    def post(self, call: Call) -> ConnectionView:
        """Make a connection, still without a secret."""
        made = actions.create_connection(actor=call.actor, now=clock.now(), **call.body)
        return queries.connection(made.public_id)


class OneConnection(Desk):
    """One connection."""

    rule = rule(get="connectors.read", patch="connectors.edit", delete="connectors.edit")

    @operation("get_connection", returns=ConnectionDetail)
    def get(self, call: Call, connection: str) -> ConnectionView:
        """One connection with what works through it."""
        return queries.connection(connection)

    @operation(
        "update_connection",
        takes=ConnectionChange,
        returns=ConnectionDetail,
        raises=(SettingsWrong, NameTaken),
    )
    def patch(self, call: Call, connection: str) -> ConnectionView:
        """Change a connection. Another host or way to sign in forgets the secret: it was not given for those."""
        row = queries.connection_row(connection)
        actions.update_connection(connection=row, actor=call.actor, now=clock.now(), **call.body)
        return queries.connection(connection)

    @operation("delete_connection", status=NO_CONTENT, raises=(InUse,))
    def delete(self, call: Call, connection: str) -> None:
        """Remove a connection with its secret."""
        row = queries.connection_row(connection)
        actions.delete_connection(connection=row, actor=call.actor, now=clock.now())


class ConnectionSecret(Desk):
    """The secret of one connection."""

    rule = rule(put="connectors.edit")

    @operation("set_connection_secret", takes=NewSecret, returns=ConnectionDetail)
    def put(self, call: Call, connection: str) -> ConnectionView:
        """Keep a new secret, sealed. It is in no answer, no log and no audit entry."""
        row = queries.connection_row(connection)
        actions.set_secret(connection=row, actor=call.actor, now=clock.now(), **call.body)
        return queries.connection(connection)


class ConnectionTest(Desk):
    """Trying one connection."""

    rule = rule(post="connectors.edit")

    @operation("test_connection", returns=TestResult)
    def post(self, call: Call, connection: str) -> Any:
        """Call the system's health probe, which takes up to 15 seconds, and keep what it said."""
        row = queries.connection_row(connection)
        return actions.test_connection(connection=row, actor=call.actor, now=clock.now())
