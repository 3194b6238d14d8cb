"""The image and the compose file say what the launcher says: same commands, known settings, nobody's root."""

import re
import subprocess
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.local import product
from deploy.local.home import ROOT
from portal.env import Env

SETTING = re.compile(r"PORTAL_[A-Z_]+")


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, with their continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def compose() -> Any:
    return YAML(typ="safe").load(ROOT / "deploy" / "compose.yaml")


def documented() -> set[str]:
    """The settings that `.env.example` explains."""
    return set(re.findall(r"^#(PORTAL_[A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))


def processes() -> set[str]:
    env = Env.load({"PORTAL_SECRET_KEY": "s" * 32, "PORTAL_MASTER_KEY": "m" * 32, "PORTAL_HOME": "/nowhere"})
    return {*product.command_lines(env), "upgrade"}


def test_the_image_is_built_in_two_stages_and_runs_as_nobody_in_particular() -> None:
    words = [word for word, _ in dockerfile()]
    assert words.count("FROM") == 2
    last = dockerfile()[len(words) - words[::-1].index("FROM") :]
    assert ("USER", "10001") in last
    assert all(word != "USER" or rest != "root" for word, rest in last)
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "HEALTHCHECK" in words
    assert ("EXPOSE", "8000") in last


def test_the_image_runs_what_the_launcher_runs() -> None:
    instructions = dict(dockerfile())
    assert instructions["ENTRYPOINT"] == '["python", "-m", "deploy.local", "exec"]'
    assert instructions["CMD"] == '["web"]'
    commands = [
        service["command"][0]
        for service in compose()["services"].values()
        if service.get("image") == "portal"
    ]
    assert sorted(commands) == sorted(processes())


def test_containers_are_given_settings_that_exist() -> None:
    given = set(SETTING.findall((ROOT / "Dockerfile").read_text())) | set(
        compose()["x-portal"]["environment"]
    )
    assert given <= documented()


def test_a_worker_has_no_health_check_of_a_web_server() -> None:
    services = compose()["services"]
    assert all(
        services[name]["healthcheck"] == {"disable": True} for name in ("engine", "work", "dispatcher")
    )
    assert "healthcheck" not in services["web"]


@pytest.mark.parametrize("script", [".ci/run", "deploy/setup.sh"])
def test_scripts_have_no_slip_of_syntax(script: str) -> None:
    shell = "bash" if script == ".ci/run" else "sh"
    checked = subprocess.run([shell, "-n", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
