"""What every list of the office has: rows to look at, and acts that go through a room's action with a reason."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet, UUIDField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kernel import clock, ids
from kernel.errors import Invalid, PortalError

Act = Callable[..., Any]
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin  # Django's own takes no parameter when it runs


class ReasonForm(ActionForm):
    """Beside the menu of acts: why."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Reason:"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class Office(_ModelAdmin):
    """Rows that can be looked at and not typed over. Acts are listed in `acts`: name, words, what to do with a row."""

    action_form = ReasonForm
    actions_on_bottom = False
    list_per_page = 50
    show_full_result_count = False
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every operator."""
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Every operator."""
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody, unless a list says otherwise."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what can be changed has an act."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A row by its key; a form that names no other field, and says so, means the key as well."""
        return super().get_object(request, object_id, from_field or None)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """What fits the words; a pasted id finds the row that it stands for, and rows that name it."""
        key = _key(search_term.strip())
        if key is not None:
            found = queryset.filter(_naming(self.model, key))
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, search_term)

    def response_action(self, *given: Any, **more: Any) -> Any:
        """What an act gives. Raises Invalid where a chosen row has a key that no row can have."""
        try:
            return super().response_action(*given, **more)
        except ValidationError as error:
            raise Invalid(fields={"_selected_action": error.messages}) from error

    def get_actions(self, request: HttpRequest) -> Any:
        """The acts, as Django wants them."""
        return acts_of(self.acts)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What was done to this row stands in the audit."""
        row = self.get_object(request, object_id)
        key = getattr(row, "public_id", object_id)
        return HttpResponseRedirect(
            f"{reverse('admin:audit_auditevent_changelist')}?{urlencode({'object_id': key})}"
        )


def _key(text: str) -> UUID | None:
    """The key in an id as people see it, or as the database does; None where the text is neither."""
    head, mark, _rest = text.partition("_")
    try:
        return ids.parse_public_id(head, text) if mark else UUID(text)
    except ValueError:
        return None


def _naming(model: type[Model], key: UUID) -> Q:
    """Rows with this key in any of their columns: keys of different kinds are never alike."""
    found = Q(pk__in=[])
    for field in model._meta.concrete_fields:
        column = getattr(field, "target_field", field)  # what a foreign key leads to
        if isinstance(column, UUIDField):
            found |= Q(**{field.attname: key})
    return found


def given(reason: str) -> str:
    """The reason of an act that takes one. Raises Invalid."""
    if not reason:
        raise Invalid(fields={"reason": [_("Give a reason.")]})
    return reason


def acts_of(acts: Iterable[tuple[str, Any, Act]]) -> dict[str, tuple[Any, str, Any]]:
    """Acts as Django's menu takes them."""
    return {name: (_doing(does), name, words) for name, words, does in acts}


def _doing(does: Act) -> Callable[[Any, HttpRequest, "QuerySet[Model]"], None]:
    """An act on chosen rows: each by itself, so that one that is refused stops no other."""

    def run(office: Any, request: HttpRequest, rows: "QuerySet[Model]") -> None:
        done = 0
        reason = request.POST.get("reason", "").strip()
        for row in rows:
            try:
                does(row, reason=reason, actor=request.actor, now=clock.now())  # type: ignore[attr-defined]
            except PortalError as error:
                told = "; ".join(word for words in error.fields.values() for word in words) or error.message
                messages.error(request, f"{row}: {told}")
            else:
                done += 1
        if done:
            messages.success(request, ngettext("%(n)d row done.", "%(n)d rows done.", done) % {"n": done})

    run.short_description = _("Act")  # type: ignore[attr-defined] # Django looks for it there
    return run
