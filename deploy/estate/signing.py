"""How the simulated shop signs what it sends: Shopify's way and that of Standard Webhooks."""

import base64
import hashlib
import hmac


def shopify(secret: str, body: bytes) -> str:
    """The value of `X-Shopify-Hmac-Sha256`."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def standard(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`; `secret` as it is handed out, `whsec_` and base64. Raises ValueError."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
