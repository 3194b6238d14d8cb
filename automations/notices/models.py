"""Notice (a line under somebody's bell), Rule (how somebody is told), Channel, Message (what goes out), Pass."""

from django.db import models
from django.db.models import Q

from automations.notices.enums import About, ChannelKind, Mail
from kernel.models import Row
from kernel.privacy import classes


class Notice(Row):
    """Something that somebody is told. What is alike and unread stays one line that counts."""

    prefix = "ntc"
    holds = classes(code="about alike severity", content="title")

    user_id = models.UUIDField()
    about = models.CharField(max_length=12, choices=About)
    alike = models.CharField(max_length=80, help_text="The same for what is told as one: cases of one cause.")
    title = models.CharField(max_length=200, help_text="In the tenant's language.")
    severity = models.CharField(max_length=10)
    case_id = models.UUIDField(help_text="The newest case that it is about.")
    count = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            # 312 failures of one cause are one line
            models.UniqueConstraint(
                fields=["user_id", "about", "alike"],
                condition=Q(read_at__isnull=True),
                name="notice_one_line",
            ),
        ]
        indexes = [
            models.Index(fields=["user_id", "-at", "-id"], name="notice_newest"),
            models.Index(fields=["at"], name="notice_age"),
        ]

    def __str__(self) -> str:
        return self.title


class Rule(Row):
    """How one person wants to be told about one thing; without a row the defaults of the catalogue hold."""

    prefix = "nrl"
    holds = classes(code="about mail least")

    user_id = models.UUIDField()
    about = models.CharField(max_length=12, choices=About)
    bell = models.BooleanField(default=True, help_text="Whether they are told at all.")
    mail = models.CharField(max_length=8, choices=Mail, default=Mail.OFF)
    least = models.CharField(max_length=10, default="high", help_text="The least severity that counts.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "about"], name="notice_rule_once")]

    def __str__(self) -> str:
        return f"{self.about} for {self.user_id}"


class Channel(Row):
    """Another system that is told: an address, what it speaks, and from which severity on."""

    prefix = "chn"
    holds = classes(setting="name host", sealed="address secret", code="kind least", content="error")

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=8, choices=ChannelKind)
    address = models.BinaryField(help_text="Sealed: whoever knows it can write there.")
    host = models.CharField(max_length=253, help_text="The part of the address that may be shown.")
    secret = models.BinaryField(null=True, help_text="Sealed: signs what a webhook gets.")
    least = models.CharField(max_length=10, default="high")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Message(Row):
    """Something that goes out: to a channel, or as a mail to a person; tried until it went or its time is over."""

    prefix = "msg"
    holds = classes(code="key mail", content="body error")

    key = models.CharField(max_length=200, unique=True, help_text="What it says is said once.")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, related_name="messages")
    user_id = models.UUIDField(null=True)
    mail = models.CharField(max_length=8, choices=Mail, blank=True)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="From then on somebody may send it (again).")
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # it goes to one of the two
            models.CheckConstraint(
                condition=Q(channel__isnull=True, user_id__isnull=False)
                | Q(channel__isnull=False, user_id__isnull=True),
                name="message_to_one",
            ),
        ]
        indexes = [
            models.Index(
                fields=["send_at"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="message_waiting",
            ),
            models.Index(fields=["created_at"], name="message_age"),
        ]

    def __str__(self) -> str:
        return self.key


class Pass(Row):
    """A link in a mail by which one person decides one case, once, after they have signed in."""

    prefix = "pas"
    holds = classes(code="decision", sealed="digest")

    user_id = models.UUIDField()
    case_id = models.UUIDField()
    decision = models.CharField(max_length=10)
    seen = models.PositiveIntegerField(help_text="The version of the case that the mail was about.")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.decision} {self.case_id}"
