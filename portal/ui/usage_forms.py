"""The form of the usage pages: a plan to choose."""

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Plan
from kernel.money import Money
from portal.ui.kit import words


class _Plans(forms.ModelChoiceField):  # type: ignore[type-arg] # generic for the type checker alone
    """Plans by their code, with price and what they include."""

    def label_from_instance(self, obj: Plan) -> str:
        """As it stands on the button."""
        price = words.amount(Money(obj.price_minor, obj.currency))
        return _("%(name)s: %(price)s a month, %(runs)s runs") % {
            "name": obj.name,
            "price": price,
            "runs": words.number(obj.included_runs),
        }


class PlanForm(forms.Form):
    """Which plan."""

    plan = _Plans(
        queryset=Plan.objects.all(),
        to_field_name="code",
        empty_label=None,
        label=_("Plan"),
        widget=forms.RadioSelect,
        help_text=_("From today on. What the month has used so far counts against it."),
    )
