"""Any system that speaks HTTP: an address and a way to sign in; workflows say which calls they make."""

from automations.connectors.contract import Auth, Connector, Probe, Schema
from automations.connectors.enums import AuthKind

CONNECTOR = Connector(
    name="http",
    title="HTTP",
    icon="globe",
    category="General",
    summary="Any HTTP API, with an API key, a bearer token or a password.",
    settings=Schema(
        {
            "type": "object",
            "required": ["base_url"],
            "properties": {
                "base_url": {
                    "title": "Base URL",
                    "type": "string",
                    "format": "uri",
                    "pattern": "^https?://",
                    "maxLength": 500,
                },
                "header": {
                    "x-show-if": {"auth": "api_key"},
                    "title": "Header of the API key",
                    "description": "Only for an API key; X-Api-Key if left out.",
                    "type": "string",
                    "pattern": "^[A-Za-z0-9-]{1,80}$",
                },
                "username": {
                    "x-show-if": {"auth": "basic"},
                    "title": "User name",
                    "description": "Only for user name and password.",
                    "type": "string",
                    "pattern": "^[^:\\x00-\\x1f]{1,200}$",
                },
                "token_url": {
                    "x-show-if": {"auth": "oauth2_client_credentials"},
                    "title": "Token URL",
                    "description": "Only for OAuth 2.",
                    "type": "string",
                    "format": "uri",
                    "pattern": "^https://",
                },
                "client_id": {
                    "x-show-if": {"auth": "oauth2_client_credentials"},
                    "title": "Client ID",
                    "description": "Only for OAuth 2.",
                    "type": "string",
                    "maxLength": 200,
                },
                "scope": {
                    "x-show-if": {"auth": "oauth2_client_credentials"},
                    "title": "Scope",
                    "description": "Only for OAuth 2.",
                    "type": "string",
                    "maxLength": 500,
                },
            },
            "additionalProperties": False,
        }
    ),
    auth=(
        Auth(AuthKind.NONE),
        Auth(AuthKind.API_KEY, "API key"),
        Auth(AuthKind.BEARER, "Token"),
        Auth(AuthKind.BASIC, "Password"),
        Auth(AuthKind.OAUTH2, "Client secret"),
    ),
    probe=Probe("", expect=frozenset({200, 201, 202, 204, 301, 302, 303, 307, 308, 404, 405})),
)
