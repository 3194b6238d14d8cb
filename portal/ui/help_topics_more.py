"""More of the help's own text; `help_topics.py` has the whole."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from portal.ui.help_topic import BOTH, Topic

MORE: Final[tuple[Topic, ...]] = (
    Topic(
        title=_("Long work"),
        text=(
            _(
                "What takes longer than a page waits: many runs sent on at once, clients that are set up or leave,"
                " upgrades. Each piece shows how far it is and what became of every part; it goes on when you leave."
            ),
            _(
                "What can be paused, continued or called off has the button for it on its page. Calling off leaves"
                " alone what was not begun; what is done stays done."
            ),
        ),
        url="work:list",
        rooms=("work",),
        icon="hourglass",
        hosts=BOTH,
        permission="work.read",
    ),
)
