"""The built-in PostgreSQL and Valkey on a real machine: made, started, ended, started again."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.errors import Refused
from deploy.local.home import Home
from deploy.local.postgres import Postgres
from deploy.local.servers import running


@pytest.fixture
def home() -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(prefix="portal-deploy-", dir="/tmp"))
    folder.chmod(0o711)
    yield Home.open(folder / "home")
    shutil.rmtree(folder)


def test_a_database_whose_password_was_lost_is_not_touched(home: Home) -> None:
    Postgres(home, fast=True).prepare()
    (home.keys / "postgres.password").unlink()
    with pytest.raises(
        Refused, match=r"^the database in \S+ needs \S+: put the file back, or remove the database$"
    ):
        Postgres(home, fast=True).prepare()
    assert not (home.keys / "postgres.password").exists()


def test_a_start_that_was_killed_half_way_begins_again(home: Home) -> None:
    (home.path / "postgres.new").mkdir()
    (home.path / "postgres.new" / "PG_VERSION").write_text("18")
    assert Postgres(home, fast=True).prepare() is True
    assert Postgres(home, fast=True).prepare() is False
    assert not (home.path / "postgres.new").exists()


def test_a_lock_that_a_crash_left_does_not_stand_in_the_way(home: Home) -> None:
    Postgres(home, fast=True).prepare()
    (home.path / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    with running([postgres := Postgres(home, fast=True)]), psycopg.connect(postgres.url) as db:
        assert db.info.server_version >= 180000


def test_it_listens_on_the_loopback_alone_and_only_when_asked(home: Home) -> None:
    with running([quiet := Postgres(home, fast=True)]), psycopg.connect(quiet.url) as db:
        assert db.execute("show listen_addresses").fetchone() == ("",)
    with running([open_ := Postgres(home, fast=True, tcp=True)]), psycopg.connect(open_.url) as db:
        assert db.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        tcp = open_.url.split("?")[0].replace("@/", f"@127.0.0.1:{open_.port}/")
        with psycopg.connect(tcp) as other:
            assert other.execute("select current_user").fetchone() == ("portal",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(tcp, password="wrong")


def test_a_restart_keeps_the_data(home: Home) -> None:
    first, second = Postgres(home), Postgres(home)
    with running([first]), psycopg.connect(first.url, autocommit=True) as db:
        assert first.place.data == home.path / "postgres"
        db.execute("create table kept as select 'Grün' as word")
        assert db.execute("select upper(word), current_setting('fsync') from kept").fetchone() == (
            "GRÜN",
            "on",
        )
    with running([second]), psycopg.connect(second.url) as db:
        assert db.execute("select word from kept").fetchone() == ("Grün",)
