"""The forms of the access room: sign-in, profile, password, members, tokens."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from portal.ui.kit.forms import languages, ui, zones
from tenants.access.enums import Density, Role, Theme
from tenants.access.models import User


class SignInForm(forms.Form):
    """E-mail and password."""

    email = forms.EmailField(
        label=_("E-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "inputmode": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ProfileForm(forms.Form):
    """What a person may say about themselves and how pages look to them."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=languages, required=False)
    timezone = ui(
        forms.ChoiceField(
            label=_("Time zone"),
            required=False,
            choices=lambda: [("", _("As the portal")), *zones()],
            help_text=_("Times are shown in this zone."),
        )
    )
    theme = forms.ChoiceField(label=_("Lighting"), choices=Theme.choices, widget=forms.RadioSelect)
    density = forms.ChoiceField(label=_("Density"), choices=Density.choices, widget=forms.RadioSelect)
    keys = forms.BooleanField(
        label=_("Single letters are shortcuts (J, K, A, E …)"),
        required=False,
        help_text=_("Kept for this browser. Ctrl K always works."),
    )


class PasswordForm(forms.Form):
    """A new password, known by whoever knows the old one."""

    old = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least ten characters. A short sentence is easy to keep and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        """`user` is whose password it is."""
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_old(self) -> str:
        """The old one must be right."""
        old = str(self.cleaned_data["old"])
        if not self.user.check_password(old):
            raise forms.ValidationError(_("This is not your present password."))
        return old

    def clean_new(self) -> str:
        """The new one must be good."""
        new = str(self.cleaned_data["new"])
        validate_password(new, self.user)
        return new


class MemberForm(forms.Form):
    """Who is to have which role."""

    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = ui(forms.CharField(label=_("Name"), max_length=120, required=False), optional=True)
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        """`roles` are those that can be given here: (value, name)."""
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["role"].initial = next(
            (value for value, _name in roles if value in (Role.AUDITOR, Role.PARTNER_ENGINEER)), ""
        )


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        """`roles` are those that can be given here: (value, name)."""
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]


class TokenForm(forms.Form):
    """A new API token: a name, what it may do, how long."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Where it is used, so that you know it again: “ERP bridge”."),
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("A year")), (0, _("Without end"))],
        initial=90,
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Any) -> None:
        """`scopes` are what the maker may give: no more than they hold."""
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = scopes  # type: ignore[attr-defined]


class RotateForm(forms.Form):
    """How long a token goes on beside the one that takes its place."""

    hours = forms.TypedChoiceField(
        label=_("The old token goes on for"),
        coerce=int,
        choices=[
            (0, _("Not at all")),
            (1, _("An hour")),
            (24, _("A day")),
            (168, _("A week")),
            (720, _("30 days")),
        ],
        initial=24,
        widget=forms.RadioSelect,
        help_text=_("Until then both work, so that nothing stands still while you put the new one in place."),
    )
