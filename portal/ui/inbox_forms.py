"""What one fills in at a case: why, a result, a time, a comment."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from automations.inbox.enums import Decide, Visibility
from kernel import jsonx
from kernel.errors import PortalError
from portal.ui.kit.forms import ui

_LONGEST: Final = 5_000
_NEEDS_REASON: Final = frozenset({Decide.DISMISS, Decide.CANCEL})


class DecideForm(forms.Form):
    """Why; and for a result that is entered by hand, what it is."""

    value = forms.CharField(
        label=_("Result of the step (JSON)"),
        help_text=_("What the other system would have answered: the run goes on with it."),
        widget=forms.Textarea(attrs={"class": "code", "spellcheck": "false", "rows": 8}),
    )
    reason = ui(
        forms.CharField(
            label=_("Reason"),
            max_length=500,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("It stands in the history and in the audit log beside your name."),
        ),
        optional=True,
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, decision: Decide, valued: bool = False, **more: Any) -> None:
        """Only what `decision` asks for; `valued`: an answer that no fields can be made for."""
        super().__init__(*args, **more)
        if valued:
            self.fields["value"].label = _("Answer (JSON)")
            self.fields["value"].help_text = ""
        elif decision != Decide.COMPLETE:
            del self.fields["value"]
        if decision in _NEEDS_REASON:
            self.fields["reason"].required = True
            ui(self.fields["reason"], optional=False)

    def clean_value(self) -> Any:
        """The JSON that was entered."""
        try:
            return jsonx.loads_strict(str(self.cleaned_data["value"]).encode())
        except PortalError as error:
            raise forms.ValidationError(
                _("This cannot be read as JSON: %(why)s.") % {"why": error.message}
            ) from error


class CommentForm(forms.Form):
    """Something to say; the partner's staff choose who reads it."""

    text = forms.CharField(label=_("Comment"), max_length=_LONGEST, widget=forms.Textarea(attrs={"rows": 3}))
    visibility = forms.ChoiceField(label=_("Who reads it"), choices=Visibility.choices, required=False)

    def __init__(self, *args: Any, internal: bool = False, **more: Any) -> None:
        """`internal`: whether the writer may write for the partner's staff alone."""
        super().__init__(*args, **more)
        if not internal:
            del self.fields["visibility"]
        else:
            self.fields["visibility"].initial = Visibility.INTERNAL


class BulkForm(forms.Form):
    """Why many cases are decided alike."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands in the history of each case."),
    )

    def __init__(self, *args: Any, decision: str, **more: Any) -> None:
        """Some decisions need the reason."""
        super().__init__(*args, **more)
        self.fields["reason"].required = decision in _NEEDS_REASON


class LimitForm(forms.Form):
    """From which amount on two people decide."""

    two_from = forms.DecimalField(
        required=False,
        max_digits=14,
        help_text=_(
            "From this amount at risk on, whoever corrects, skips, enters a result or approves asks a second person to "
            "agree. Amounts in other currencies always ask. Leave it empty for never."
        ),
    )

    def __init__(self, *args: Any, currency: str, **more: Any) -> None:
        """In major units of this currency."""
        super().__init__(*args, **more)
        self.fields["two_from"].label = gettext("Two people from (%(currency)s)") % {"currency": currency}
