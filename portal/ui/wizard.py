"""An installation in the making: its steps, where each leads, and what was typed so far.

What was typed is kept in the session for each template and client, valid or not, so that going back loses nothing.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.request import SignedIn
from portal.ui.kit.pages import go, page
from portal.ui.place import Place, crumbs
from templates_lib.models import TemplateVersion

_DRAFTS: Final = "installing"
_MOST_DRAFTS: Final = 5
TITLES: Final[dict[str, str | Promise]] = {
    "client": gettext_lazy("Client"),
    "settings": gettext_lazy("Settings"),
    "connections": gettext_lazy("Connections"),
    "try": gettext_lazy("Dry run"),
    "review": gettext_lazy("Review"),
}


@dataclass
class Wizard:
    """An installation in the making: which version goes where, and what has been said so far."""

    request: SignedIn
    place: Place
    version: TemplateVersion
    draft: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Its steps."""
        return names_of(self.version)

    def url(self, step: str) -> str:
        """The address of a step."""
        return self.place.url("templates:install", slug=self.version.slug, step=step)

    def keep(self) -> None:
        """Keep the draft for the next request; only the last few of them."""
        drafts = dict(self.request.session.get(_DRAFTS, {}))
        drafts.pop(self._key, None)
        drafts[self._key] = self.draft
        self.request.session[_DRAFTS] = dict(list(drafts.items())[-_MOST_DRAFTS:])

    def forget(self) -> None:
        """Drop the draft."""
        drafts = dict(self.request.session.get(_DRAFTS, {}))
        drafts.pop(self._key, None)
        self.request.session[_DRAFTS] = drafts

    @property
    def _key(self) -> str:
        return draft_key(self.version.slug, self.place)

    def done(self, step: str, *, yes: bool = True) -> None:
        """Note that a step is done, or is not any more."""
        noted = {*self.draft.get("done", []), step} if yes else set(self.draft.get("done", [])) - {step}
        self.draft["done"] = [name for name in self.names if name in noted]
        self.keep()

    def first_open(self, before: str) -> str:
        """The first step ahead of `before` that is not done; empty if all are."""
        ahead = self.names[: self.names.index(before)]
        return next((name for name in ahead if name not in self.draft.get("done", [])), "")

    def show(self, step: str, *, status: int = 200, **more: Any) -> HttpResponse:
        """The page of a step."""
        done = self.draft.get("done", [])
        index = self.names.index(step)
        steps = [
            (name, TITLES[name], name in done, name == step, not self.first_open(name)) for name in self.names
        ]
        shown = {
            "wizard": self,
            "version": self.version,
            "place": self.place,
            "step": step,
            "steps": steps,
            "choose": reverse("templates:install-start", kwargs={"slug": self.version.slug}),
            "before": self.names[index - 1] if index else "",
            "leave": reverse("templates:detail", kwargs={"slug": self.version.slug}),
            "crumbs": trail(self.request, self.version),
            **more,
        }
        return page(self.request, f"templates/install_{step}.html", shown, status=status)

    def onwards(self, step: str, *, valid: bool) -> HttpResponse | None:
        """Where a sent step leads: a step back whatever was typed, another one if it is valid; None to stay."""
        wanted = self.request.POST.get("to", "")
        if wanted in self.names and (self.names.index(wanted) < self.names.index(step) or valid):
            return go(self.request, self.url(wanted))
        if not valid:
            return None
        return go(self.request, self.url(self.names[self.names.index(step) + 1]))


def draft_key(slug: str, place: Place) -> str:
    """What the draft of a template for a client is called in the session."""
    return f"{slug}@{place.tenant.id}"


def trail(request: SignedIn, version: TemplateVersion) -> list[tuple[str, str]]:
    return crumbs(
        request,
        (_("Templates"), reverse("templates:library")),
        (version.title, reverse("templates:detail", kwargs={"slug": version.slug})),
        (_("Install"), ""),
    )


def draft_of(request: SignedIn, slug: str, place: Place) -> dict[str, Any]:
    """What has been said so far about installing this template for this client."""
    found: dict[str, Any] = request.session.get(_DRAFTS, {}).get(draft_key(slug, place), {})
    return dict(found)


def names_of(version: TemplateVersion) -> list[str]:
    """The steps of installing a version; connections are asked for only where some are needed."""
    return ["settings", *(["connections"] if version.needs else []), "try", "review"]
