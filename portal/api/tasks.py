"""Small tasks of a store: what is to be done, and the answers."""

from typing import Any

from automations.inbox import queries
from automations.inbox.actions.tasks import do_task
from automations.inbox.errors import CaseAlreadyDecided, CaseClosed, NotDecidable
from automations.inbox.queries.tasks import StoreTask
from portal.api import fields
from portal.api.desk import Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.tenancy import context


class TaskShape(Shape):
    """A task as the list shows it."""

    id = PublicId("case", source="public_id", help_text="Id of the task, which is a case.")
    code = fields.text("What people call it.")
    kind = fields.text("What is asked for: store_count, store_confirm, store_photo.")
    title = fields.text("In words.")
    business_key = fields.text("What it is about.", allow_blank=True)
    due_at = fields.at("When it has to be done.")
    late = fields.yes_or_no("Whether that is over.")


class TaskWhole(Shape):
    """A task with the form of its answer."""

    task = TaskShape(source="row", help_text="The task.")
    cause = fields.text("Why it is asked, in words.", allow_blank=True)
    facts = fields.anything("What the workflow says about it.")
    form = fields.anything("The JSON Schema of the answer; null where doing it is the answer.")


class DoTask(Shape):
    """An answer."""

    value = fields.anything("What fits the form; a photograph is a data URL.", required=False, default=None)


class TaskDone(Shape):
    """What became of an answer."""

    done = fields.yes_or_no("Always true.")
    first = fields.yes_or_no("False where the same person had answered before: nothing was done again.")


class Tasks(Desk):
    """The queue."""

    rule = rule(get="tasks.do")

    @operation("list_store_tasks", returns=TaskShape, many=True)
    def get(self, call: Call) -> Listing:
        """Open tasks, the most urgent first; at most a hundred."""
        return Listing(queries.store_tasks(now=context.now()))


class OneTask(Desk):
    """One task."""

    rule = rule(get="tasks.do")

    @operation("get_store_task", returns=TaskWhole)
    def get(self, call: Call, case: str) -> StoreTask:
        """A task with the form of its answer."""
        return queries.store_task(key_of("case", case), now=context.now())


class DoneTask(Desk):
    """Answering."""

    rule = rule(post="tasks.do")

    @operation(
        "do_store_task",
        takes=DoTask,
        returns=TaskDone,
        once=True,
        raises=(CaseClosed, CaseAlreadyDecided, NotDecidable),
        example={"value": {"count": 12}},
    )
    def post(self, call: Call, case: str) -> dict[str, Any]:
        """Answer a task; sent again with its key, or by the same person, it is done once."""
        key = key_of("case", case)
        first = do_task(case_id=key, value=call.body["value"], actor=call.actor, now=context.now())
        return {"done": True, "first": first}
