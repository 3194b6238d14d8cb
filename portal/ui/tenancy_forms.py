"""Forms that ask before something is done that others will feel: why, and for some things its name, typed."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ReasonForm(forms.Form):
    """Why; and for what cannot be undone by a click, its name, typed."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It stands in the audit log beside your name."),
    )
    typed = forms.CharField(required=False)

    def __init__(self, *args: Any, name: str, typed: bool, **kwargs: Any) -> None:
        """`typed` asks for the `name` of what it is about."""
        super().__init__(*args, **kwargs)
        self.name = name
        if typed:
            self.fields["typed"].required = True
            self.fields["typed"].label = _("Type “%(name)s” to confirm") % {"name": name}
            self.fields["typed"].widget.attrs.update({"data-typed": name, "autocomplete": "off"})
        else:
            del self.fields["typed"]

    def clean_typed(self) -> str:
        """It must be the very name."""
        typed = str(self.cleaned_data["typed"]).strip()
        if typed != self.name:
            raise forms.ValidationError(_("This is not its name."))
        return typed
