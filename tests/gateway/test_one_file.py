"""``mailbridge-gateway.pyz``: the programs of a mail host in one file, run by a Python that has no packages."""

from devel import gateway
from email import message_from_bytes
from pathlib import Path
from tests.gateway.mailbox_content import DONE
from tests.gateway.mailbox_content import raw
from tests.gateway.mailbox_content import subjects
from tests.servers.dovecot import Dovecot
from tests.servers.fake_site import FakeSite
from tests.servers.fixtures import open_folder
from tests.servers.lmtp import Client
from tests.servers.lmtp import Lmtp
import contextlib
import importlib.metadata
import json
import pytest
import re
import shutil
import subprocess
import sys
import zipfile


MESSAGES = Path(__file__).parent.parent / "messages"
#: Nothing of this environment: no variables, no folder of the caller, no site-packages.
PYTHON = (sys.executable, "-I", "-S")
#: What each program imports; all that these require can be loaded from a zip, or the file is not built.
LIBRARIES = {
    "lmtp": {"aiosmtpd", "idna", "requests"},
    "fetch": {
        "compressed-rtf",
        "idna",
        "imapclient",
        "oauthlib",
        "olefile",
        "requests",
        "striprtf",
        "tqdm",
    },
    "explain": {"compressed-rtf", "idna", "olefile", "striprtf"},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return gateway.build(tmp_path_factory.mktemp("gateway"))


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize("program", LIBRARIES)
def test_what_a_program_imports(program):
    assert gateway.libraries([gateway.PROGRAMS[program]]) == LIBRARIES[program]


def test_two_builds_are_the_same_bytes(built, tmp_path):
    assert gateway.build(tmp_path).read_bytes() == built.read_bytes()


def test_it_is_source_without_the_site(built):
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        metadata = [message_from_bytes(archive.read(n)) for n in names if n.endswith("/METADATA")]
    assert {Path(name).suffix for name in names if ".dist-info" not in name} == {".py", ".txt", ""}
    rooms = {name.split("/")[2] for name in names if name.startswith("imio/mailbridge/")}
    assert rooms == {"__init__.py", "gateway", "message", "pipe", "transport"}
    assert not [name for name in names if "rendition" in name], "what no program imports"
    constraints = gateway.versions.pins(gateway.versions.CONSTRAINTS.read_text())
    constraints = {gateway.canonicalize_name(name): version for name, version in constraints.items()}
    libraries = {gateway.canonicalize_name(each["Name"]): each["Version"] for each in metadata}
    assert libraries.pop("imio-mailbridge") == importlib.metadata.version("imio.mailbridge")
    assert libraries.keys() >= set.union(*LIBRARIES.values())
    assert libraries == {name: constraints[name] for name in libraries}


def test_the_licence_of_each_library_is_inside(built):
    done = run(*PYTHON, built, "licences")
    assert done.returncode == 0, done.stderr
    assert "Version 2, June 1991" in done.stdout
    assert "Version 3, 29 June 2007" in done.stdout
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    for name, version in (n.split(".dist-info/")[0].split("-") for n in names if n.endswith("/METADATA")):
        if name != "imio_mailbridge":
            pattern = rf"(?im)^{name.replace('_', '[-_]')} +{re.escape(version)} +\S.*$"
            assert re.search(pattern, done.stdout), name


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": "0.1"}, "requests 0.1 is installed, which constraints.txt does not say"),
        ({"files": [importlib.metadata.PackagePath("requests/fast.abi3.so")]}, "compiled"),
    ],
)
def test_what_cannot_go_in_is_refused(monkeypatch, change, says):
    library = importlib.metadata.distribution("requests")
    for name, value in change.items():
        monkeypatch.setattr(type(library), name, value)
    pinned = {"requests": change.get("version") and "2" or library.version}
    with pytest.raises(gateway.CannotBuild, match=says):
        gateway.check(library, pinned)


@pytest.mark.parametrize("arguments", [(), ("lmpt",), ("pipe", "--help")])
def test_wrong_use_is_told(built, arguments):
    done = run(*PYTHON, built, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: mailbridge-gateway.pyz lmtp|fetch|explain")


@pytest.mark.parametrize("name", ["mailbridge-gateway.pyz", *(f"mailbridge-{each}" for each in LIBRARIES)])
def test_version(built, tmp_path, name):
    (tmp_path / name).symlink_to(built)
    done = run(*PYTHON, tmp_path / name, "--version")
    assert done.stdout == f"imio.mailbridge {importlib.metadata.version('imio.mailbridge')}\n"


def test_it_is_the_program_of_its_name(built, tmp_path):
    for program in LIBRARIES:
        link = tmp_path / f"mailbridge-{program}"
        link.symlink_to(built)
        assert run(*PYTHON, link, "--help").stdout.startswith(f"usage: mailbridge-{program} ")
    copy = shutil.copy(built, tmp_path / "copy")
    assert run(*PYTHON, copy, "lmtp", "--help").stdout.startswith("usage: mailbridge-lmtp ")
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    assert run(link, "--help", env=environment).stdout.startswith("usage: mailbridge-explain ")


def test_an_old_python_is_told(built):
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = run(*PYTHON, "-c", code, built, "lmtp")
    assert (done.returncode, done.stderr) == (
        2,
        "mailbridge-gateway needs Python 3.11 or later, not 3.9\n",
    )


def test_explain_says_what_the_package_says(built):
    files = sorted(MESSAGES.glob("*.eml"))
    options = ("--evidence", "--mailbox", "contact@maville.be", "--agent", ".*@maville.be")
    ours = run(Path(sys.executable).with_name("mailbridge-explain"), *options, *files)
    done = run(*PYTHON, built, "explain", *options, *files)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(files) > 100
    assert done.stdout == ours.stdout
    assert json.loads(done.stdout.splitlines()[0])["file"] == str(files[0])


def test_lmtp_hands_over(built):
    with FakeSite() as site:
        options = {"program": (*PYTHON, built, "lmtp")}
        with Lmtp(site.url, "--max-size", "41943040", **options) as lmtp:
            with contextlib.closing(Client(lmtp.port)) as client:
                assert client.deliver(raw("Un")) == ["250 2.0.0 'filed' as 'abc' (HTTP 201)"]
            lmtp.process.terminate()
            assert lmtp.process.wait(60) == 0
            assert "Traceback" not in lmtp.log
        (request,) = site.requests
        assert request.body == raw("Un").replace(b"\r\n", b"\n")
        assert request.headers["X-Envelope-Recipient"] == "in@bridge.test"


def test_fetch_hands_over_to_a_site_that_the_machine_trusts(built, certificates, tmp_path):
    site = FakeSite()
    site.socket = certificates.server_context().wrap_socket(site.socket, server_side=True)
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as dovecot, site:
        for name, text in {"token": "gateway:secret", "password": dovecot.PASSWORD}.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)
        config = tmp_path / "fetch.toml"
        config.write_text(f"""
            url = "https://localhost:{site.server_port}/site"
            token_file = "{tmp_path}/token"
            state = "{tmp_path}/state"
            [[mailbox]]
            name = "contact"
            host = "localhost"
            port = {dovecot.port}
            login = "{dovecot.LOGIN}"
            password_file = "{tmp_path}/password"
            address = "in@bridge.test"
        """)
        dovecot.append(raw("Un"))
        command = (*PYTHON, built, "fetch", "--config", config, "--once")
        done = run(*command, env={"SSL_CERT_FILE": "/dev/null"})
        assert (done.returncode, site.requests) == (1, [])
        assert "certificate verify failed" in done.stderr
        done = run(*command, env={"SSL_CERT_FILE": str(certificates.ca_file)})
        assert done.returncode == 0, done.stderr
        (request,) = site.requests
        assert request.body == raw("Un")
        assert subjects(dovecot, DONE) == ["Un"]
