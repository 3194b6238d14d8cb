"""The one settings file. What differs between installations comes from `portal.env`; the rest is said here."""

from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from kernel import logs
from portal.env import ROOT, Env

ENV = Env.load()
DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
MASTER_KEYS = ENV.master_keys
MASTER_KEY_FILE = ENV.master_key_file
VAULT_ADDRESS, VAULT_KEY, VAULT_TOKEN = ENV.vault_address, ENV.vault_key, ENV.vault_token
AUDIT_KEY_FILE = ENV.audit_key_file
AUDIT_HEADS = ENV.home / "audit"  # the last checkpoint of each log, beside the database
JOB_KEY = f"job:{ENV.secret_key}".encode()
BASE_DOMAIN = ENV.base_domain
ALLOWED_HOSTS = ["*"]  # the tenancy room decides: a host without a verified domain row gets 404
PORTAL_PORT = ENV.port
PORTAL_HTTPS = ENV.https
PORTAL_DEMO = ENV.demo
DELETE_HOLD_DAYS = ENV.delete_hold_days
MEDIA_ROOT = ENV.home / "media"
TENANT_FILES = ENV.home / "clients"  # files of whole clients; readable by this process alone

# rooms: in the public schema, in each tenant's schema, or in both
SHARED_APPS = [
    "django_tenants",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",
    "django.contrib.admin",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "tenants.tenancy",
    "tenants.vault",
    "tenants.privacy",
    "tenants.audit",
    "tenants.access",
    "tenants.accounts",
    "tenants.branding",
    "automations.ledger",
    "templates_lib",
    "billing",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "template_partials",
    "portal",
]
TENANT_APPS = [
    "tenants.audit",
    "guardian",
    "automations.connectors",
    "automations.events",
    "automations.engine",
    "automations.inbox",
    "automations.insights",
    "automations.notices",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
TENANT_MODEL = "tenancy.Tenant"
TENANT_DOMAIN_MODEL = "tenancy.Domain"
DATABASE_ROUTERS = ["tenants.tenancy.context.TenantRouter", "django_tenants.routers.TenantSyncRouter"]
POOLED = bool(ENV.serving and ENV.database_pool)
_database = ENV.database_pool if POOLED else ENV.database
DATABASE_BESIDE_POOL: dict[str, Any] = ENV.database if POOLED else {}  # for what needs a session
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_database,
        "ENGINE": "tenants.tenancy.backend",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "TEST": {"NAME": f"test_{ENV.database['NAME']}"},
    }
}
DATABASES["default"]["OPTIONS"] = {
    "application_name": "portal",
    # for the few statements that bind on the server; a pool of transactions may not know them
    "prepare_threshold": None if POOLED else 5,
    **_database.get("OPTIONS", {}),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENV.redis_url
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "tenants.tenancy.context.cache_key",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

# a request walks down this list
MIDDLEWARE = [
    "portal.middleware.request_context",
    "portal.middleware.letterbox",
    "portal.middleware.StaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.middleware.host",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.preferences",
    "portal.middleware.Door",
    "portal.middleware.errors",
]
ROOT_URLCONF = "portal.urls_platform"
URLCONFS = {
    "platform": "portal.urls_platform",
    "partner": "portal.urls_partner",
    "tenant": "portal.urls_tenant",
}
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "portal.ui.shell.shell",
            ],
            "libraries": {"ui": "portal.ui.kit.tags"},
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "portal.ui.kit.tags",
                "template_partials.templatetags.partials",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
        },
    }
]
FORM_RENDERER = "portal.ui.kit.forms.Renderer"

# people
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "tenants.accounts.policy.KnownPasswordValidator", "OPTIONS": {"path": ENV.breached_file}},
]
ANONYMOUS_USER_NAME = None  # guardian: nobody has rights without signing in
GUARDIAN_MONKEY_PATCH_USER = False
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_NAME = "__Host-session" if PORTAL_HTTPS else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PORTAL_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if PORTAL_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.ui.errors.csrf_failed"

# headers
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if PORTAL_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PORTAL_HTTPS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# words, numbers, time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# files
STATIC_URL = "/static/"
STATIC_ROOT = ENV.home / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_MANIFEST_STRICT = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
WEBHOOK_MAX_BYTES = 1024 * 1024
INTAKE_MOST = 50_000  # events of one tenant that may wait; above it senders are asked to come again
INTAKE_RETRY_SECONDS = 5

# the API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.auth.TokenAuthentication",
        "portal.api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.permissions.ApiPermission"],
    "DEFAULT_RENDERER_CLASSES": ["portal.api.wire.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.wire.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.api.wire.problem",
    "DEFAULT_VERSIONING_CLASS": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Automation API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATIONS": True,
    "COMPONENT_SPLIT_REQUEST": False,  # what comes in and what goes out have shapes of their own
    "POSTPROCESSING_HOOKS": [],
    "ENABLE_LIST_MECHANICS_ON_NON_2XX": False,
}

# mail
_mail = urlsplit(ENV.email_url)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from
if _mail.scheme == "smtp":
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_TIMEOUT = 10
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = ENV.home / "mail"

# what may be called from inside: host:port pairs that operators opened
EGRESS_ALLOW = frozenset(ENV.egress_allow)
# who is asked about the domains of partners; without any, the servers of the machine
DNS_SERVERS = ENV.dns_servers

# work; Redis only rings, so nothing here has to survive it
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,  # longer than the longest drain
    "health_check_interval": 10,
    "socket_timeout": 30,
    "socket_connect_timeout": 1,
    # a sender does not wait for a broker that is away: the dispatcher sends again
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3

LOGGING_CONFIG = None
logs.configure(ENV.log_level, json=ENV.log_json)
