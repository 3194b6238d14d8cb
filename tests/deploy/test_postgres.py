"""The built-in PostgreSQL and Valkey on a real machine: made, started, ended, started again."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.home import Home
from deploy.local.postgres import Postgres
from deploy.local.servers import running


@pytest.fixture
def home() -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(prefix="portal-deploy-", dir="/tmp"))
    folder.chmod(0o711)
    yield Home.open(folder / "home")
    shutil.rmtree(folder)


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
