"""More about cases: decisions that are not carried out yet, files, lists with names."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from automations.inbox import actions, policy, queries
from automations.inbox.actions import LARGEST_FILE
from automations.inbox.enums import PENDING, Visibility
from automations.inbox.errors import CaseChanged, IntentOver, SecondIsFirst
from automations.inbox.queries import CaseDetail, Pending
from kernel.errors import Invalid, NotFound
from portal.api import fields
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.inbox import CaseWhole
from portal.api.pages import Listing
from tenants.tenancy import context

_LONGEST: Final = LARGEST_FILE * 4 // 3 + 4


class AgreeShape(Shape):
    """Agreeing to what was shown."""

    digest = fields.text("The digest that `pending` of the case showed: nothing else is agreed to.")
    reason = fields.reason()


class DeclineShape(Shape):
    """Saying no."""

    reason = fields.text("Why.", max_length=500)


class FileShape(Shape):
    """A file on a case."""

    id = PublicId("file", help_text="Id of the file.")
    name = fields.text("Its name.")
    media = fields.text("What it is: image/png, application/pdf, text/plain.")
    size = fields.number("Its bytes.")
    internal = fields.yes_or_no("Whether only the partner's staff see it.")
    actor = fields.text("Who put it there.")
    at = fields.at("When.")


class FileWhole(FileShape):
    """A file with what it holds."""

    content = fields.text("What it holds, in base64.")


class AttachFile(Shape):
    """A file to put beside a case."""

    name = fields.text("Its name.", max_length=200)
    content = fields.text(
        f"What it holds, in base64; at most {LARGEST_FILE // 1024**2} MB: a picture, a PDF or plain text.",
        max_length=_LONGEST,
    )
    visibility = fields.one_of(
        Visibility.choices, "Internal ones are the partner's.", required=False, default=Visibility.CLIENT
    )


class ViewShape(Shape):
    """A list with a name."""

    id = PublicId("view", source="public_id", help_text="Id of the list.")
    name = fields.text("Its name.")
    slug = fields.text("The last part of its address.")
    query = fields.text("The parameters of the inbox that it shows.", allow_blank=True)
    shared = fields.yes_or_no("Whether everybody sees it.")
    owner = fields.text("Who made it.")


class SaveView(Shape):
    """A list to keep under a name."""

    name = fields.text("Its name.", max_length=60)
    query = fields.text("Parameters of the inbox, as in `state=open&sort=money`.", allow_blank=True)
    shared = fields.yes_or_no("Whether everybody is to see it.", required=False, default=False)


def _whole(call: Call, case: str) -> CaseDetail:
    internal = policy.is_partner_staff(call.actor)
    return queries.case(key_of("case", case), now=context.now(), internal=internal)


def _on_pending(call: Call, case: str, act: Callable[[Pending], Any]) -> CaseDetail:
    """Do it to what is about to become of the case; the case as it is then. Raises IntentOver."""
    one = _whole(call, case).pending
    if one is None or one.state not in PENDING:
        raise IntentOver
    act(one)
    return _whole(call, case)


class UndoOne(Desk):
    """Taking back."""

    rule = rule(post="inbox.decide")

    @operation("undo_decision", returns=CaseWhole, once=True, raises=(IntentOver,))
    def post(self, call: Call, case: str) -> CaseDetail:
        """Take one's own decision back before it is carried out."""
        return _on_pending(
            call,
            case,
            lambda one: actions.undo_decision(intent_id=one.id, actor=call.actor, now=context.now()),
        )


class AgreeOne(Desk):
    """The second person's yes."""

    rule = rule(post="inbox.decide")

    @operation(
        "agree_to_decision",
        takes=AgreeShape,
        returns=CaseWhole,
        once=True,
        raises=(IntentOver, SecondIsFirst, CaseChanged),
    )
    def post(self, call: Call, case: str) -> CaseDetail:
        """Agree, as the second person, to exactly what `pending` shows; it is carried out in eight seconds."""
        return _on_pending(
            call,
            case,
            lambda one: actions.agree(intent_id=one.id, actor=call.actor, now=context.now(), **call.body),
        )


class DeclineOne(Desk):
    """The second person's no."""

    rule = rule(post="inbox.decide")

    @operation(
        "decline_decision",
        takes=DeclineShape,
        returns=CaseWhole,
        once=True,
        raises=(IntentOver, SecondIsFirst),
    )
    def post(self, call: Call, case: str) -> CaseDetail:
        """Decline, as the second person; the case is open as before."""
        return _on_pending(
            call,
            case,
            lambda one: actions.decline(intent_id=one.id, actor=call.actor, now=context.now(), **call.body),
        )


class Files(Desk):
    """Files on a case."""

    rule = rule(get="inbox.read", post="inbox.comment")

    @operation("list_case_files", returns=FileShape, many=True)
    def get(self, call: Call, case: str) -> Listing:
        """The files on a case, oldest first."""
        found = _whole(call, case)
        internal = policy.is_partner_staff(call.actor)
        return Listing(queries.papers(found.row.id, internal=internal))

    @operation("attach_case_file", takes=AttachFile, returns=FileShape, status=CREATED, once=True)
    def post(self, call: Call, case: str) -> Any:
        """Put a file beside a case: a picture is drawn anew, anything that could act is refused."""
        found, given = _whole(call, case), call.body
        try:
            content = base64.b64decode(given["content"], validate=True)
        except (binascii.Error, ValueError):
            raise Invalid(fields={"content": ["Send base64."]}) from None
        try:
            made = actions.attach_file(
                case_id=found.row.id,
                name=given["name"],
                content=content,
                visibility=given["visibility"],
                actor=call.actor,
                now=context.now(),
            )
        except Invalid as error:
            raise Invalid(fields={"content": error.fields.get("file", [error.message])}) from error
        return queries.paper(found.row.id, made, internal=policy.is_partner_staff(call.actor))[0]


class OneFile(Desk):
    """One file."""

    rule = rule(get="inbox.read")

    @operation("get_case_file", returns=FileWhole)
    def get(self, call: Call, case: str, file: str) -> dict[str, Any]:
        """A file with what it holds."""
        found, content = queries.paper(
            key_of("case", case), key_of("file", file), internal=policy.is_partner_staff(call.actor)
        )
        return {
            "id": found.id,
            "name": found.name,
            "media": found.media,
            "size": found.size,
            "internal": found.internal,
            "actor": found.actor,
            "at": found.at,
            "content": base64.b64encode(content).decode(),
        }


class Views(Desk):
    """Lists with names."""

    rule = rule(get="inbox.read", post="inbox.read")

    @operation("list_case_views", returns=ViewShape, many=True)
    def get(self, call: Call) -> Listing:
        """One's own lists and those of everybody, by name."""
        return Listing(queries.views(call.actor.user_id))

    @operation("save_case_view", takes=SaveView, returns=ViewShape, status=CREATED, once=True)
    def post(self, call: Call) -> Any:
        """Keep a list under a name; one that everybody sees takes the right to decide. For people, not for tokens."""
        return actions.save_view(**call.body, actor=call.actor, now=context.now())


class OneView(Desk):
    """One list."""

    rule = rule(delete="inbox.read")

    @operation("remove_case_view", status=NO_CONTENT, once=True)
    def delete(self, call: Call, named: str) -> None:
        """Forget a list: one's own, or a shared one as somebody who keeps the settings. Raises NotFound."""
        found = queries.view(named, call.actor.user_id)
        if found is None:
            raise NotFound
        actions.remove_view(view_id=found.id, actor=call.actor, now=context.now())
