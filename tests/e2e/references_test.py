"""vault:// and op:// in the user configuration: through hvac against a Vault of our own, and through
a command `op` of our own."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import Project

pytest.importorskip("hvac")

TOKEN = "vault-token-of-the-test"


class Vault:
    """As much of Vault as answers a read: paths to JSON, or 403 without the token."""

    def __init__(self, answers: dict[str, object]):
        self.asked: list[str] = []
        vault = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                vault.asked.append(self.path)
                if self.headers.get("X-Vault-Token") != TOKEN:
                    status, body = 403, {"errors": ["permission denied"]}
                elif self.path in answers:
                    status, body = 200, {"data": answers[self.path]}
                else:
                    status, body = 404, {"errors": []}
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def vault():
    vault = Vault(
        {
            "/v1/secret/data/app/db": {"data": {"user": "ada", "port": 5432}, "metadata": {}},
            "/v1/secret/old": {"password": "one"},
            "/v1/team/data/api": {"data": {"key": "mounted"}, "metadata": {}},
        }
    )
    yield vault
    vault.close()


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project", tmp_path / "home").write({"mxcp-site.yml": Project.SITE})
    return project.python_tool(
        "show",
        "from mxcp.runtime import config\ndef show(): return config.get_secret('s')\n",
    )


def configure(project, parameters: str, head: str = "", profile: str = "default"):
    project.write(
        {
            "../home/.mxcp/config.yml": "mxcp: 1\n"
            + head
            + "projects:\n  test:\n    profiles:\n"
            + f"      {profile}:\n        secrets:\n"
            + f"          - {{name: s, type: custom, parameters: {parameters}}}\n"
        }
    )
    project.env = {"VAULT_TOKEN": TOKEN}


def test_both_versions_of_kv(project, vault):
    configure(
        project,
        '{u: "vault://app/db#user", p: "vault://app/db#port", o: "vault://old#password",'
        ' m: "vault://team/api#key"}',
        f"vault: {{enabled: true, address: '{vault.address}'}}\n",
    )
    assert project.tool("show").result == {"u": "ada", "p": "5432", "o": "one", "m": "mounted"}
    # A secret is read once, however many of its keys are used.
    assert vault.asked.count("/v1/secret/data/app/db") == 1


@pytest.mark.parametrize(
    "reference, said",
    [
        ("vault://app/db#usr", "the secret 'vault://app/db' has no key 'usr' (did you mean 'user'?)"),
        ("vault://app/nothing#x", "there is no such secret, neither in KV version 2 nor 1"),
        ("vault://app/db", "'vault://app/db' names no key"),
    ],
)
def test_what_vault_does_not_have(project, vault, reference, said):
    configure(project, f'{{x: "{reference}"}}', f"vault: {{enabled: true, address: '{vault.address}'}}\n")
    error = project.tool("show").error
    assert said in error and "config.yml:8:53: " in error


def test_a_token_that_is_not_valid(project, vault):
    configure(project, '{x: "vault://app/db#user"}', f"vault: {{enabled: true, address: '{vault.address}'}}\n")
    project.env = {"VAULT_TOKEN": "a-wrong-token"}
    error = project.tool("show").error
    assert "Vault denies access" in error and "a-wrong-token" not in error
    project.env = {}
    assert "the environment variable 'VAULT_TOKEN'" in project.tool("show").error


def test_a_vault_that_is_off_or_away(project):
    configure(project, '{x: "vault://app/db#user"}')
    assert "'vault', which is not enabled" in project.tool("show").error
    configure(project, '{x: "vault://app/db#user"}', "vault: {enabled: true, address: 'http://127.0.0.1:1'}\n")
    assert "Vault at http://127.0.0.1:1 cannot be reached" in project.tool("show").error


def test_only_the_active_profile_is_asked_for(project, vault):
    configure(
        project,
        '{x: "vault://app/db#user"}',
        f"vault: {{enabled: true, address: '{vault.address}'}}\n",
        profile="other",
    )
    assert project.tool("show").result is None
    assert vault.asked == []
    assert project.tool("show", "--profile", "other").result == {"x": "ada"}


# --- 1Password ----------------------------------------------------------------------------------

FAKE_OP = """#!/bin/sh
[ "$OP_SERVICE_ACCOUNT_TOKEN" = op-token ] || { echo "[ERROR] not signed in" >&2; exit 1; }
[ "$1 $2" = "read --no-newline" ] || { echo "[ERROR] unexpected: $*" >&2; exit 2; }
case "$3" in
  op://team/db/password) printf 'p4ss word' ;;
  "op://team/db/one-time password?attribute=otp") printf 123456 ;;
  *) echo "[ERROR] \\"$3\\" isn't an item" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def op(project, monkeypatch, tmp_path):
    command = tmp_path / "bin" / "op"
    command.parent.mkdir()
    command.write_text(FAKE_OP)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    return command


def test_values_and_one_time_passwords(project, op):
    configure(
        project,
        '{p: "op://team/db/password", t: "op://team/db/one-time password?attribute=otp"}',
        "onepassword: {enabled: true}\n",
    )
    project.env = {"OP_SERVICE_ACCOUNT_TOKEN": "op-token"}
    assert project.tool("show").result == {"p": "p4ss word", "t": "123456"}


@pytest.mark.parametrize(
    "reference, said",
    [
        ("op://team/none/password", "isn't an item"),
        ("op://team/db", "names no field"),
        ("op://team/db/password?attribute=size", "an attribute that is not known"),
    ],
)
def test_what_1password_refuses(project, op, reference, said):
    configure(project, f'{{x: "{reference}"}}', "onepassword: {enabled: true, token_env: MY_TOKEN}\n")
    project.env = {"MY_TOKEN": "op-token"}
    assert said in project.tool("show").error


def test_without_the_command(project):
    configure(project, '{x: "op://team/db/password"}', "onepassword: {enabled: true}\n")
    project.env = {"OP_SERVICE_ACCOUNT_TOKEN": "op-token", "PATH": "/nonexistent"}
    # The command under test is found by its own path.
    assert "its command 'op', which is not installed" in project.tool("show").error


def test_a_running_server_asks_again_at_a_reload(project, op):
    configure(project, '{p: "op://team/db/password"}', "onepassword: {enabled: true}\n")
    project.env = {"OP_SERVICE_ACCOUNT_TOKEN": "op-token"}
    project.python_tool(
        "again", "from mxcp.runtime import reload_duckdb\ndef again(): reload_duckdb()\n"
    )
    with project.serve() as server:
        server.initialize()
        assert server.value("show") == {"p": "p4ss word"}
        op.write_text(FAKE_OP.replace("p4ss word", "rotated"))
        server.call("again")
        assert server.value("show") == {"p": "rotated"}


def test_the_package_may_be_in_the_projects_environment(project, vault):
    """hvac is not where mxcp is installed, but where the project's own packages are."""
    version = "python{}.{}".format(*sys.version_info)
    packages = project.folder / ".venv/lib" / version / "site-packages/hvac"
    packages.mkdir(parents=True)
    (project.folder / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (packages / "exceptions.py").write_text(
        "class VaultError(Exception): pass\n"
        "class Forbidden(VaultError): pass\nclass InvalidPath(VaultError): pass\n"
        "class Unauthorized(VaultError): pass\n"
    )
    (packages / "__init__.py").write_text(
        "class Client:\n"
        "    def __init__(self, **options):\n"
        "        self.secrets = self.kv = self.v2 = self.v1 = self\n"
        "    def read_secret_version(self, **options):\n"
        "        return {'data': {'data': {'user': 'of the environment'}}}\n"
        "    read_secret = read_secret_version\n"
    )
    # As if mxcp were installed without it.
    hidden = project.home / "hidden"
    hidden.mkdir(parents=True)
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "class OnlyThere:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name != 'hvac': return None\n"
        f"        spec = PathFinder.find_spec(name, [p for p in sys.path if p == {str(packages.parent)!r}])\n"
        "        if spec is None: raise ModuleNotFoundError(\"No module named 'hvac'\")\n"
        "        return spec\n"
        "sys.meta_path.insert(0, OnlyThere)\n"
    )
    configure(project, '{u: "vault://app/db#user"}', f"vault: {{enabled: true, address: '{vault.address}'}}\n")
    project.env["PYTHONPATH"] = str(hidden)
    assert project.tool("show").result == {"u": "of the environment"}
    assert vault.asked == []
