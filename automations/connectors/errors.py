"""What can go wrong between us and the client's systems."""

from kernel.errors import Conflict, Invalid, Unauthenticated, Unprocessable


class UnknownConnector(Invalid):
    """There is no such connector."""

    code = "unknown_connector"


class UnknownOperation(Invalid):
    """This connector has no such operation."""

    code = "unknown_operation"


class SettingsWrong(Invalid):
    """These settings do not fit the connector."""

    code = "connection_settings_wrong"


class InputWrong(Unprocessable):
    """This is not what the operation takes."""

    code = "operation_input_wrong"


class NameTaken(Conflict):
    """Another connection has this name."""

    code = "connection_name_taken"


class InUse(Conflict):
    """Something still works through this connection."""

    code = "connection_in_use"


class SecretMissing(Conflict):
    """This connection has no credentials yet."""

    code = "connection_secret_missing"


class AuthNotSupported(Conflict):
    """This way to sign in cannot be used yet."""

    code = "auth_not_supported"


class SignatureMissing(Unauthenticated):
    """This delivery is not signed."""

    code = "signature_missing"


class SignatureWrong(Unauthenticated):
    """The signature does not belong to this body."""

    code = "signature_wrong"


class TimestampStale(Unauthenticated):
    """This delivery was signed too long ago, or in the future."""

    code = "timestamp_stale"


class Nonsense(Invalid):
    """This is not what the system sends."""

    code = "nonsense"
