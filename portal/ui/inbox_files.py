"""Files on a case: put there by a form, fetched by a link that is short-lived and one person's."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.inbox import actions, policy, queries
from automations.inbox.enums import Visibility
from kernel.errors import Invalid, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.inbox_acts import address, case_or_404, not_done, told
from portal.ui.inbox_papers import FileForm, passes
from portal.ui.kit.acts import ACTS
from portal.ui.kit.pages import go, key_of
from tenants.tenancy import context

ACTS.update({"inbox.attach_file": gettext_lazy("Put a file beside a case")})


@door(post="inbox.comment")
def attach(request: TenantRequest, case: str) -> HttpResponse:
    """Put a file beside a case."""
    key = key_of("case", case)
    case_or_404(request, key)
    form = FileForm(request.POST, request.FILES, internal=policy.is_partner_staff(request.actor))
    try:
        if not form.is_valid():
            raise Invalid(str(next(iter(form.errors.values()))[0]))
        sent = form.cleaned_data["file"]
        if sent.size > actions.LARGEST_FILE:
            raise Invalid(_("At most %(n)d MB, and not empty.") % {"n": actions.LARGEST_FILE // 1024**2})
        actions.attach_file(
            case_id=key,
            name=sent.name,
            content=sent.read(),
            actor=request.actor,
            now=context.now(),
            visibility=form.cleaned_data.get("visibility") or Visibility.CLIENT,
        )
    except PortalError as error:
        if not error.benign:
            raise
        return not_done(request, case, error)
    return told(request, case, _("The file stands with the case"))


@door("inbox.read")
def file(request: TenantRequest, case: str, file: str) -> HttpResponse:
    """What a file holds, for who has a pass to it; else back to the case, which gives one. Raises NotFound."""
    key = key_of("case", case)
    found, content = queries.paper(key, key_of("file", file), internal=policy.is_partner_staff(request.actor))
    if not passes(request, file):
        return go(request, address(request, case).split("?")[0])
    shown = "inline" if found.media.startswith("image/") else "attachment"
    response = HttpResponse(content, content_type=found.media)
    response.headers["Content-Disposition"] = _disposition(shown, found.name)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _disposition(how: str, name: str) -> str:
    return content_disposition_header(how == "attachment", name) or how
