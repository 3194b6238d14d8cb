"""User, Membership, roles and their rules, Invitation, ApiToken, …; in the public schema: one login, many tenants."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from kernel.models import Row
from tenants.access.enums import Density, Role, Theme, Verdict
from tenants.tenancy.models import Partner, Tenant

EXPIRING: Final = timedelta(days=14)
"""So long before its end a token is said to need another."""


class UserManager(BaseUserManager["User"]):
    """Makes users; asked by Django's createsuperuser."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this e-mail, in any case."""
        return self.get(email__iexact=username or "")

    def create_user(self, email: str, name: str = "", password: str | None = None, **more: Any) -> "User":
        """A person; without a password nobody signs in as them by password."""
        user = self.model(email=email.strip().lower(), name=name, **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **more: Any) -> "User":
        """A platform operator with every right in Django admin."""
        return self.create_user(email, password=password, is_staff=True, is_superuser=True, **more)


class User(Row, AbstractBaseUser, PermissionsMixin):
    """A person with one login; `is_staff` makes a platform operator."""

    prefix = "usr"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("platform operator", default=False)
    language = models.CharField(max_length=8, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.AUTO)
    density = models.CharField(max_length=12, choices=Density, default=Density.COMFORTABLE)
    steps_away = models.TextField(
        blank=True,
        db_default="",
        help_text="Places whose first steps this person put away: ids in hex, with spaces.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            # one login a person, however they write their address
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        """Two letters for the round picture."""
        words = (self.name or self.email).replace("@", " ").split()
        return "".join(word[0] for word in words[:2]).upper()


class CustomRole(Row):
    """A role that a partner (or, with `tenant`, one of its clients) put together from the catalogue itself."""

    prefix = "rol"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="roles")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="roles")
    name = models.CharField(max_length=60)
    permissions = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            # people know a role by its name
            models.UniqueConstraint(
                "partner", "tenant", Lower("name"), nulls_distinct=False, name="custom_role_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DutyRule(Row):
    """Two rights that nobody is to hold at once: of a partner (also in its clients), or of one client."""

    prefix = "dty"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="duties")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="duties")
    first = models.CharField(max_length=60)
    second = models.CharField(max_length=60)
    reason = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            # a pair is one rule; the action sorts the two
            models.UniqueConstraint(
                fields=["partner", "tenant", "first", "second"],
                nulls_distinct=False,
                name="duty_rule_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first} + {self.second}"


class Membership(Row):
    """A role that a person has with a partner, or (with `tenant`) with one of its clients."""

    prefix = "mem"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(max_length=24, choices=Role)
    custom = models.ForeignKey(
        CustomRole, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    scoped = models.BooleanField(
        default=False,
        help_text="Whether it counts only for what was named, by grants in the client's schema.",
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            # one role a person and place: a second would make revoking guesswork
            models.UniqueConstraint(
                fields=["user", "partner", "tenant"], nulls_distinct=False, name="membership_once"
            ),
            models.CheckConstraint(
                condition=Q(tenant__isnull=True, role__startswith="partner_")
                | (Q(tenant__isnull=False) & ~Q(role__startswith="partner_")),
                name="membership_role_fits_level",
            ),
            models.CheckConstraint(
                condition=Q(custom__isnull=False, role__in=["custom", "partner_custom"])
                | (Q(custom__isnull=True) & ~Q(role__in=["custom", "partner_custom"])),
                name="membership_own_role_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role_name}"

    @property
    def role_said(self) -> str:
        """The role as the audit has it: the word of a shipped one, the name of an own one."""
        return self.custom.name if self.custom else str(self.role)

    @property
    def role_name(self) -> str:
        """The role in words; of an own role the name that it was given."""
        return self.custom.name if self.custom else str(self.get_role_display())


class AccessReview(Row):
    """A look at everybody who has access to a place, by somebody who signs for it."""

    prefix = "rev"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="reviews")
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="reviews"
    )
    started_by = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    signed_by = models.CharField(max_length=200, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    statement = models.TextField(blank=True, help_text="What whoever signed it said.")

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            # one at a time, so that what is decided has one place
            models.UniqueConstraint(
                fields=["partner", "tenant"],
                condition=Q(signed_at__isnull=True),
                nulls_distinct=False,
                name="review_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"review of {self.started_at:%Y-%m-%d}"


class ReviewItem(Row):
    """One right as it was when the review began, and what the review said of it."""

    prefix = "rvi"

    review = models.ForeignKey(AccessReview, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=8, help_text="member, token or grant")
    holder_id = models.UUIDField(help_text="Of the membership or token; of a grant, of the person.")
    holder = models.CharField(max_length=300)
    held = models.CharField(max_length=400, help_text="The role, or what the token or grant is for.")
    permissions = models.JSONField(default=list)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.UUIDField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, help_text="When the holder was last here.")
    verdict = models.CharField(max_length=8, choices=Verdict, default=Verdict.OPEN)
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["kind", "holder", "id"]

    def __str__(self) -> str:
        return f"{self.holder}: {self.held}"


class Invitation(Row):
    """A link for somebody who was given a role: it works once, until it expires, for this person in this place."""

    prefix = "inv"

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.CharField(
        max_length=200, blank=True, help_text="Empty where the portal did it by itself."
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="From then on somebody may send it (again).")
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # what the dispatcher asks for all the time: mails that are not out yet
            models.Index(fields=["send_at"], condition=Q(sent_at__isnull=True), name="invitation_unsent"),
        ]

    def __str__(self) -> str:
        return str(self.membership.user)


class ApiToken(Row):
    """A key for machines: shown once, kept as a hash, with the permissions it was given and no more."""

    prefix = "tok"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="tokens")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=16, help_text="Its first letters, to tell tokens apart.")
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(
        User,
        on_delete=models.CASCADE,  # a token whose maker is gone would be held to nobody's rights any more
        null=True,
        related_name="tokens",
        help_text="Whose rights bound it; nobody's where the portal itself made it.",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replaces",
        help_text="The token that was made in its place.",
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def over(self, now: datetime) -> bool:
        """Whether it is refused."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)

    def state(self, now: datetime) -> str:
        """A word for what it is worth."""
        if self.revoked_at is not None:
            return "revoked"
        if self.over(now):
            return "expired"
        if self.replaced_by_id is not None:
            return "replaced"
        return "expiring" if self.expires_at and self.expires_at <= now + EXPIRING else "active"


class Handoff(Row):
    """A one-use pass from one host to another for somebody who is signed in on the first; lives a minute."""

    prefix = "hnd"

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    host = models.CharField(max_length=253)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id} to {self.host}"


class IdempotentRequest(Row):
    """What was answered to a request that came with an Idempotency-Key, so that the same request is answered alike.

    The answer is sealed under a key that is made of the installation's master key and the request's own key, of which
    only a digest is kept: an answer may hold a secret that is shown once.
    """

    prefix = "idm"

    owner_id = models.UUIDField(help_text="The user or token that sent it.")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the Idempotency-Key.")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField(help_text="Sealed.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            # one key stands for one request of one sender at one place
            models.UniqueConstraint(
                fields=["owner_id", "partner", "tenant", "digest"],
                nulls_distinct=False,
                name="idempotent_once",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_age")]

    def __str__(self) -> str:
        return f"request {self.digest[:8]} of {self.owner_id}"
