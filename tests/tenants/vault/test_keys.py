"""Keys change while everything runs: data keys of tenants, master keys in a file, master keys in a key server."""

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.events.models import Endpoint
from kernel import clock, ids, masters, secrets
from kernel.actor import Actor, system
from kernel.errors import Conflict, Forbidden
from kernel.secrets import SecretUnreadable
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import DataKey, Tenant
from tenants.tenancy.queries import TenantRef
from tenants.vault import actions, policy, queries, tasks
from tests.support import make
from tests.support.cast import NOW, Cast

BY = system("test")
ROW = ids.uuid7()


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    policy.forget()
    yield
    policy.forget()


@pytest.fixture
def key_file(settings: Any, tmp_path: Path, cast: Cast) -> Path:
    """The master key of the tests in a file that can be written to."""
    settings.MASTER_KEY_FILE = tmp_path / "master.key"
    settings.MASTER_KEY_FILE.write_text(settings.MASTER_KEYS + "\n")
    return Path(settings.MASTER_KEY_FILE)


def row_of(tenant: TenantRef) -> Any:
    return Tenant.objects.get(pk=tenant.id)


def rotate(tenant: TenantRef) -> DataKey:
    return actions.rotate_data_key(tenant=row_of(tenant), actor=BY, now=NOW)


def versions(tenant: TenantRef) -> list[int]:
    return list(
        DataKey.objects.filter(tenant_id=tenant.id).order_by("version").values_list("version", flat=True)
    )


def test_what_is_kept_opens_for_its_own_names_alone(tenant: TenantRef, other_tenant: TenantRef) -> None:
    sealed = secrets.keep(b"value", row=ROW, version=3, purpose="connection")
    assert secrets.opened(sealed, row=ROW, version=3, purpose="connection") == b"value"
    for row, version, purpose in ((ids.uuid7(), 3, "connection"), (ROW, 2, "connection"), (ROW, 3, "x")):
        with pytest.raises(SecretUnreadable):
            secrets.opened(sealed, row=row, version=version, purpose=purpose)
    for inside in (context.enter(other_tenant), context.leave()):
        with inside, pytest.raises(SecretUnreadable):
            secrets.opened(sealed, row=ROW, version=3, purpose="connection")


def test_another_installation_opens_nothing(tenant: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = secrets.keep(b"value", row=ROW, version=1, purpose="connection")
    monkeypatch.setitem(queries._installation, "id", str(ids.uuid7()))
    with pytest.raises(SecretUnreadable):
        secrets.opened(sealed, row=ROW, version=1, purpose="connection")
    policy.forget()
    with pytest.raises(SecretUnreadable):
        secrets.keep(b"value", row=ROW, version=1, purpose="connection")


def test_outside_of_tenants_the_installation_has_a_key_of_its_own(cast: Cast) -> None:
    sealed = secrets.keep(b"value", row=ROW, version=1, purpose="stream")
    assert secrets.opened(sealed, row=ROW, version=1, purpose="stream") == b"value"
    with context.enter(cast.tenant), pytest.raises(SecretUnreadable):
        secrets.opened(sealed, row=ROW, version=1, purpose="stream")


def test_what_an_earlier_version_sealed_still_opens_and_is_sealed_anew(tenant: TenantRef) -> None:
    """Before, data keys had no numbers, and neither they nor secrets were bound to an installation."""
    old_master = next(iter(masters.ring().keys().values()))
    dek = secrets.new_key()
    wrapped = secrets.seal(old_master, dek, "dek", tenant.id, 1)
    DataKey.objects.filter(tenant_id=tenant.id).update(wrapped=wrapped)
    row = make.connection()
    sealed = secrets.seal(dek, b"from before", tenant.id, row.id, 1, "connection")
    Connection.objects.filter(pk=row.id).update(secret=sealed, secret_version=1)
    policy.forget()
    assert connectors.open_connection(row.id).headers() == {"Authorization": "Bearer from before"}
    assert actions.wrap_data_keys(actor=BY, now=NOW) >= 1
    policy.forget()
    assert actions.reseal(tenant_id=tenant.id, now=NOW) == 1
    row.refresh_from_db()
    assert bytes(row.secret or b"")[:1] == queries.HEAD
    assert connectors.open_connection(row.id).headers() == {"Authorization": "Bearer from before"}


def test_another_data_key_reaches_every_secret_and_the_old_one_goes(tenant: TenantRef, jobs: Any) -> None:
    rows = [make.connection(secret=f"secret number {number}") for number in range(7)]
    door = make.endpoint()
    before = {row.id: bytes(row.secret or b"") for row in rows}
    made = rotate(tenant)
    assert (made.version, versions(tenant)) == (2, [1, 2])
    late = make.connection(secret="sealed meanwhile")
    assert queries.key_version(bytes(late.secret or b"")) == 2
    assert [connectors.open_connection(row.id).headers() for row in rows[:1]]
    assert actions.reseal(tenant_id=tenant.id, now=NOW) == 8
    for number, row in enumerate(rows):
        row.refresh_from_db()
        assert bytes(row.secret or b"") != before[row.id]
        assert queries.key_version(bytes(row.secret or b"")) == 2
        assert (
            connectors.open_connection(row.id).headers()["Authorization"] == f"Bearer secret number {number}"
        )
    endpoint = Endpoint.objects.get(pk=door.row.pk)
    assert (
        secrets.opened(endpoint.secret, row=endpoint.pk, version=1, purpose="endpoint").decode()
        == door.secret
    )
    old = DataKey.objects.get(tenant_id=tenant.id, version=1)
    assert old.retired_at == NOW, "whoever read a row just before may still open it"
    assert actions.reseal(tenant_id=tenant.id, now=NOW + timedelta(minutes=9)) == 0
    assert versions(tenant) == [1, 2]
    actions.reseal(tenant_id=tenant.id, now=NOW + timedelta(minutes=11))
    assert versions(tenant) == [2]
    with context.leave():
        told = AuditEvent.objects.filter(action="vault.rotate_data_key")
        assert [(one.before, one.after, one.object_id) for one in told] == [
            ({"version": 1}, {"version": 2}, row_of(tenant).public_id)
        ]


def test_a_secret_that_does_not_open_keeps_its_key_alive(tenant: TenantRef) -> None:
    row, other = make.connection(secret="one of the two"), make.connection(secret="the other one")
    Connection.objects.filter(pk=row.pk).update(secret=other.secret)
    rotate(tenant)
    assert actions.reseal(tenant_id=tenant.id, now=NOW) == 1
    for days in (1, 2):
        actions.reseal(tenant_id=tenant.id, now=NOW + timedelta(days=days))
    assert versions(tenant) == [1, 2], "the broken one is evidence, and still under the old key"


def test_one_change_at_a_time(tenant: TenantRef) -> None:
    make.connection(secret="a secret of ours")
    rotate(tenant)
    with pytest.raises(Conflict):
        rotate(tenant)
    actions.reseal(tenant_id=tenant.id, now=NOW)
    assert rotate(tenant).version == 3


def test_a_change_that_broke_off_is_finished_by_the_dispatcher(committed: Any, cast: Cast) -> None:
    with context.enter(cast.tenant):
        row = make.connection(secret="a secret of ours")
    rotate(cast.tenant)
    due = list(tasks._with_old_keys())
    assert due == [{"owner": str(cast.tenant.id)}]
    tasks.reseal(owner=str(cast.tenant.id))
    with context.enter(cast.tenant):
        row.refresh_from_db()
        assert queries.key_version(bytes(row.secret or b"")) == 2


def test_work_goes_on_while_keys_change(committed: Any, cast: Cast, key_file: Path) -> None:
    """Callers open connections all the time, as running workflows do, while both keys change, again and again."""
    with context.enter(cast.tenant):
        rows = [make.connection(secret=f"secret number {number}").id for number in range(20)]
    stop, wrong, opened = threading.Event(), [], [0]

    def call() -> None:
        try:
            with context.enter(cast.tenant):
                while not stop.is_set():
                    for number, row in enumerate(rows):
                        found = connectors.open_connection(row, now=clock.now()).headers()["Authorization"]
                        if found != f"Bearer secret number {number}":
                            wrong.append(found)
                        opened[0] += 1
        except Exception as error:  # noqa: BLE001 - what goes wrong in a thread is told by the test
            wrong.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        rotate(cast.tenant)
        actions.reseal(tenant_id=cast.tenant.id, now=NOW)
        actions.rotate_master_key(actor=BY, now=NOW)
        actions.reseal(tenant_id=cast.tenant.id, now=NOW)
        policy.forget()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert opened[0] > 100
    assert len(key_file.read_text().splitlines()) == 5


def test_the_master_key_changes_in_its_file(cast: Cast, key_file: Path) -> None:
    with context.enter(cast.tenant):
        row = make.connection(secret="a secret of ours")
    before = key_file.read_text()
    everybody = DataKey.objects.count()
    assert actions.rotate_master_key(actor=BY, now=NOW) == everybody
    assert key_file.read_text().endswith(before)
    assert key_file.stat().st_mode & 0o777 == 0o600
    policy.forget()
    with context.enter(cast.tenant):
        assert connectors.open_connection(row.id).headers()["Authorization"] == "Bearer a secret of ours"
    assert actions.wrap_data_keys(actor=BY, now=NOW) == 0
    assert actions.forget_master_keys(actor=BY, now=NOW) == 1
    assert before.strip() not in key_file.read_text()
    policy.forget()
    with context.enter(cast.tenant):
        assert connectors.open_connection(row.id).headers()["Authorization"] == "Bearer a secret of ours"


def test_a_master_key_that_is_needed_is_not_forgotten(cast: Cast, key_file: Path) -> None:
    key_file.write_text("another master key of more than thirty-two letters\n" + key_file.read_text())
    with pytest.raises(Conflict):
        actions.forget_master_keys(actor=BY, now=NOW)
    assert len(key_file.read_text().splitlines()) == 2


def test_without_the_master_key_nothing_opens(tenant: TenantRef, key_file: Path) -> None:
    row = make.connection(secret="a secret of ours")
    actions.wrap_data_keys(actor=BY, now=NOW)
    key_file.write_text("another master key of more than thirty-two letters\n")
    policy.forget()
    with pytest.raises(SecretUnreadable):
        connectors.open_connection(row.id)


def test_a_master_key_in_a_setting_is_not_rotated_from_here(cast: Cast) -> None:
    with pytest.raises(masters.NoRotation):
        actions.rotate_master_key(actor=BY, now=NOW)
    with pytest.raises(CommandError, match="setting"):
        call_command("rotate_keys", "--master")


def test_who_may(cast: Cast) -> None:
    nobody = Actor(kind="user", id=None, label="X", permissions=frozenset({"connectors.edit"}))
    for act in (
        lambda: actions.rotate_data_key(tenant=row_of(cast.tenant), actor=nobody, now=NOW),
        lambda: actions.rotate_master_key(actor=nobody, now=NOW),
        lambda: actions.wrap_data_keys(actor=nobody, now=NOW),
        lambda: actions.forget_master_keys(actor=nobody, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()


def test_by_command(cast: Cast, key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with context.enter(cast.tenant):
        make.connection(secret="a secret of ours")
    for arguments, said in (
        (["--tenant", "meridian/hollis"], "1 secrets of 1 tenants sealed anew"),
        (["--master"], "a new master key wraps"),
        (["--wrap"], "0 data keys wrapped anew"),
        (["--forget-old"], "1 old master keys forgotten"),
        (["--all-tenants"], "1 secrets of 2 tenants sealed anew"),
    ):
        call_command("rotate_keys", *arguments, "--reason", "yearly")
        assert said in capsys.readouterr().out


class _Vault(http.server.BaseHTTPRequestHandler):
    """As much of a transit engine as the portal speaks to; `server.twist` changes what it says."""

    def do_GET(self) -> None:
        self._say({"latest_version": len(self.server.keys)})  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        what, keys = self.path.split("/")[3], self.server.keys  # type: ignore[attr-defined]
        if self.headers["X-Vault-Token"] != "t0ken":
            self._say({}, 403)
        elif self.path.endswith("/rotate"):
            keys.append(secrets.new_key())
            self._say({})
        elif what == "encrypt":
            sealed = secrets.seal(keys[-1], base64.b64decode(body["plaintext"]), body["associated_data"])
            self._say({"ciphertext": f"vault:v{len(keys)}:{base64.b64encode(sealed).decode()}"})
        else:
            _, number, sealed_text = body["ciphertext"].split(":")
            try:
                value = secrets.unseal(
                    keys[int(number[1:]) - 1], base64.b64decode(sealed_text), body["associated_data"]
                )
            except SecretUnreadable:
                self._say({}, 400)
            else:
                self._say({"plaintext": base64.b64encode(value).decode()})

    def _say(self, data: Any, status: int = 200) -> None:
        raw = json.dumps({"data": data}).encode()
        twist = self.server.twist  # type: ignore[attr-defined]
        if twist is not None:
            status, raw = twist(self.path, status, raw)
        if status == 0:  # it hangs up
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def vault(settings: Any) -> Iterator[Callable[[], None]]:
    """A key server; called, it becomes the one that wraps."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Vault)
    server.keys, server.twist = [secrets.new_key()], None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def use(token: str = "t0ken") -> None:
        settings.VAULT_ADDRESS = f"http://127.0.0.1:{server.server_port}"
        settings.VAULT_KEY, settings.VAULT_TOKEN = "portal", token
        masters._made.clear()
        policy.forget()

    use.server = server  # type: ignore[attr-defined]
    yield use
    server.shutdown()
    thread.join()
    server.server_close()
    masters._made.clear()


def test_a_key_server_takes_over_rotates_and_hands_back(
    tenant: TenantRef, vault: Callable[..., None], settings: Any
) -> None:
    row = make.connection(secret="a secret of ours")

    def opens() -> bool:
        policy.forget()
        return connectors.open_connection(row.id).headers()["Authorization"] == "Bearer a secret of ours"

    vault()
    assert opens(), "wrapped by the file, which is still here"
    with context.leave():
        everybody = DataKey.objects.count()
        assert actions.wrap_data_keys(actor=BY, now=NOW) == everybody
    assert opens()
    with context.leave():
        assert actions.rotate_master_key(actor=BY, now=NOW) == everybody
        assert actions.wrap_data_keys(actor=BY, now=NOW) == 0
    assert opens()
    with context.leave():
        wrapped = bytes(DataKey.objects.get(tenant_id=tenant.id).wrapped)
        other = DataKey.objects.exclude(tenant_id=tenant.id).first()
        assert other
        DataKey.objects.filter(pk=other.pk).update(wrapped=wrapped)
        other.refresh_from_db()
        with pytest.raises(SecretUnreadable):
            policy.unwrap(other)
        DataKey.objects.filter(pk=other.pk).delete()
    vault("wrong")
    with pytest.raises(SecretUnreadable, match="403"):
        opens()
    vault()
    settings.VAULT_ADDRESS, address = "", settings.VAULT_ADDRESS
    policy.forget()
    with pytest.raises(SecretUnreadable, match="none is set"):
        opens()
    assert urlsplit(address).port


def test_a_key_server_that_is_away_is_said_to_be(tenant: TenantRef, settings: Any) -> None:
    row = make.connection(secret="a secret of ours")
    settings.VAULT_ADDRESS, settings.VAULT_KEY, settings.VAULT_TOKEN = "http://127.0.0.1:9", "portal", "x"
    assert connectors.open_connection(row.id), "a data key that is remembered goes on to work"
    with pytest.raises(SecretUnreadable, match="did not answer"), transaction.atomic():
        rotate(tenant)


def _of(part: str, status: int, data: Any) -> Any:
    """A server that answers so where `part` is asked, and right elsewhere."""
    raw = data if isinstance(data, bytes) else json.dumps({"data": data}).encode()
    return lambda path, was, said: (status, raw) if part in path else (was, said)


_SHORT = base64.b64encode(b"short").decode()
_OTHER = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    ("twist", "said"),
    [
        (_of("crypt", 500, {}), "500"),
        (_of("crypt", 403, {"errors": ["permission denied"]}), "403"),
        (_of("crypt", 429, {}), "429"),
        (_of("crypt", 302, {}), "302"),
        (_of("crypt", 0, {}), "did not answer"),
        (_of("crypt", 200, b""), "has no"),
        (_of("crypt", 200, b"<html>sealed</html>"), "something else than JSON"),
        (_of("crypt", 200, b"[1]"), "something else than JSON"),
        (_of("crypt", 200, b'{"warnings": null}'), "something else than JSON"),
        (_of("crypt", 200, b"[" * 100_000), "something else than JSON"),
        (_of("crypt", 200, ["no", "object"]), "has no"),
        (_of("crypt", 200, {"ciphertext": None, "plaintext": None}), "has no"),
        (_of("encrypt", 200, {"ciphertext": "v1:plain"}), "something else than a wrapped key"),
        (_of("encrypt", 200, {"ciphertext": f"vault:v1:{_OTHER * 2}"}), "something else|400"),
        (_of("decrypt", 200, {"plaintext": _SHORT}), "something else than a key"),
        (_of("decrypt", 200, {"plaintext": "***"}), "something else than a key"),
        (_of("decrypt", 200, {"plaintext": _OTHER}), "does not open what it has just wrapped"),
    ],
)
def test_a_key_server_that_misbehaves_loses_no_key(
    tenant: TenantRef, vault: Any, twist: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every data key is as it was, every secret opens, and what the server said stands in no error."""
    row = make.connection(secret="a secret of ours")
    vault()
    with context.leave():
        before = dict(DataKey.objects.values_list("id", "wrapped"))
        vault.server.twist = twist
        with pytest.raises(SecretUnreadable, match=said) as raised, transaction.atomic():
            actions.wrap_data_keys(actor=BY, now=NOW)
        assert dict(DataKey.objects.values_list("id", "wrapped")) == before
    assert not any(part in f"{raised.value} {caplog.text}" for part in (_SHORT, _OTHER, "sealed</html>"))
    policy.forget()
    assert connectors.open_connection(row.id).headers()["Authorization"] == "Bearer a secret of ours"
    vault.server.twist = None
    with context.leave():
        assert actions.wrap_data_keys(actor=BY, now=NOW) == len(before)
    policy.forget()
    assert connectors.open_connection(row.id).headers()["Authorization"] == "Bearer a secret of ours"
