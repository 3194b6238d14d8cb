"""The files of a case as its page shows them, each with a link that is short-lived and one person's."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext_lazy

from automations.inbox import policy, queries
from automations.inbox.enums import Visibility
from portal.request import TenantRequest

SECONDS: Final = 600
"""So long a link to a file holds: as long as somebody looks at a case."""
_SALT: Final = "inbox.file"


class FileForm(forms.Form):
    """A file, and for the partner's staff who sees it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A picture, a PDF or plain text, at most 8 MB. Pictures lose place and camera."
        ),
        widget=forms.ClearableFileInput(
            attrs={"accept": "image/png,image/jpeg,image/webp,application/pdf,text/plain"}
        ),
    )
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees it"), choices=Visibility.choices, required=False
    )

    def __init__(self, *args: Any, internal: bool, **more: Any) -> None:
        """`internal`: whether it may be kept among the partner's staff."""
        super().__init__(*args, **more)
        if not internal:
            del self.fields["visibility"]


def listed(request: TenantRequest, case_id: UUID, case: str) -> list[dict[str, Any]]:
    """The files of a case with links that hold for this person and for some minutes."""
    internal = policy.is_partner_staff(request.actor)
    return [
        {
            "file": one,
            "url": f"{reverse('inbox:file', args=[case, one.public_id])}?for={_pass(request, one.public_id)}",
        }
        for one in queries.papers(case_id, internal=internal)
    ]


def _holder(request: TenantRequest, file: str) -> list[str]:
    return [file, str(request.actor.user_id), str(request.tenant.id)]


def _pass(request: TenantRequest, file: str) -> str:
    return signing.dumps(_holder(request, file), salt=_SALT)


def passes(request: TenantRequest, file: str) -> bool:
    """Whether the link holds: for this file, this person and this client, and not for long."""
    try:
        found = signing.loads(request.GET.get("for", ""), salt=_SALT, max_age=SECONDS)
    except signing.BadSignature:
        return False
    return bool(found == _holder(request, file))
