"""The example of a cluster names programs, variables, files and addresses that exist.

``tests/acceptance/test_cluster.py`` runs it, without containers.
"""

from devel import dependencies
from imio.mailbridge.restapi.probe.answers import ANSWERS
from imio.mailbridge.taskqueue import queue
from imio.mailbridge.taskqueue import stopping
from imio.mailbridge.taskqueue import worker
from importlib.metadata import entry_points
from paste.deploy.loadwsgi import appconfig
from pathlib import Path
from tests.docs.guides import DOCS
from urllib.parse import urlsplit
from Zope2.Startup.options import ZopeWSGIOptions
import configparser
import pytest
import re
import sys
import yaml


BIN = Path(sys.executable).parent
FOLDER = DOCS / "examples/cluster"
COMPOSE = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("compose*.yaml"))}
OPERATOR = (DOCS / "operator.rst").read_text()
#: Of ours; the rest is of Zope's configuration or of the image of a server.
VARIABLES = {queue.URL, queue.KEY, worker.WORKER, stopping.DRAIN}


def services():
    """Return (file, name, service) of all services."""
    return [
        pytest.param(COMPOSE[file], name, service, id=f"{file}-{name}")
        for file in COMPOSE
        for name, service in COMPOSE[file]["services"].items()
    ]


@pytest.mark.parametrize("file", COMPOSE)
def test_a_file_has_the_parts_of_a_cluster(file):
    parts = {"balancer", "web1", "web2", "worker1", "worker2"}
    servers = {"compose": {"zeo", "redis"}, "compose-postgresql": {"postgresql"}}
    assert set(COMPOSE[file]["services"]) == parts | servers[file]
    assert f"``{file}.yaml``" in OPERATOR


@pytest.mark.parametrize(("compose", "name", "service"), services())
def test_a_service_names_what_there_is(compose, name, service):
    assert service["restart"] == "unless-stopped"
    assert set(service.get("depends_on", [])) <= set(compose["services"])
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        assert source in compose["volumes"] or (FOLDER / source).exists()
    if service["image"] == "iadocs":
        program, *arguments = service["command"].split()
        assert (BIN / program).exists()
        assert (FOLDER / arguments[-1].removeprefix("etc/")).exists()


@pytest.mark.parametrize(("compose", "name", "service"), services())
def test_a_process_of_zope_has_what_it_reads_from_its_environment(compose, name, service):
    if not name.startswith(("web", "worker")):
        return
    variables = service["environment"]
    assert {each for each in variables if each.startswith("MAILBRIDGE_")} == VARIABLES
    assert all(isinstance(value, str) for value in variables.values()), "YAML makes a boolean of a bare off"
    conf = (FOLDER / "zope.conf").read_text() + (FOLDER / variables["STORAGE"]).read_text()
    assert set(re.findall(r"\$\((\w+)\)", conf)) <= set(variables)
    assert urlsplit(variables[queue.URL]).hostname in compose["services"]
    grace = int(service["stop_grace_period"].removesuffix("s"))
    needed = worker.SHUTDOWN if name.startswith("worker") else float(variables[stopping.DRAIN]) + 5
    assert grace > needed, "or it is killed before it has ended"


@pytest.mark.parametrize("file", COMPOSE)
def test_zope_reads_the_configuration(file, tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/blobcache").mkdir(parents=True)
    for path in FOLDER.glob("*.conf"):
        (tmp_path / "etc" / path.name).write_text(path.read_text().replace("/iadocs", str(tmp_path)))
    environment = COMPOSE[file]["services"]["web1"]["environment"]
    for name in ("STORAGE_PACKAGE", "STORAGE", "SITE_DSN"):
        monkeypatch.setenv(name, environment.get(name, ""))
    read = ZopeWSGIOptions(str(tmp_path / "etc/zope.conf"))()
    (database,) = read.configroot.databases
    kind = {"ZEO": "ZEOClient", "relstorage": "RelStorageFactory"}[environment["STORAGE_PACKAGE"]]
    assert type(database.config.storage).__name__ == kind


def test_instances_answer_the_balancer_in_front_of_zope():
    first, *_others = appconfig(f"config:{FOLDER / 'zope.ini'}", name="main").context.filter_contexts
    assert first.entry_point_name == "probe"
    (entry,) = entry_points(group="paste.filter_factory", name="probe")
    assert callable(entry.load())
    assert "egg:imio.mailbridge#probe" in OPERATOR


def test_the_balancer_asks_the_instances():
    text = (FOLDER / "haproxy.cfg").read_text()
    (port,) = re.findall(r"listen = 0\.0\.0\.0:(\d+)", (FOLDER / "zope.ini").read_text())
    assert re.findall(r"^ +server (\w+) (\S+)", text, re.MULTILINE) == [
        ("web1", f"web1:{port}"),
        ("web2", f"web2:{port}"),
    ]
    (address,) = re.findall(r"uri /@@(\S+)", text)
    assert address in ANSWERS
    expected = re.compile(re.search(r"rstring (.*)", text)[1].replace("\\ ", " "))
    answers = ["ready", "not ready: queue", "not ready: database", "not ready: site", "not ready: stopping"]
    assert [each for each in answers if expected.search(each)] == ["ready", "not ready: queue"]
    interval, fall = map(int, re.search(r"inter (\d)s fall (\d)", text).groups())
    for compose in COMPOSE.values():
        web = compose["services"]["web1"]
        assert float(web["environment"][stopping.DRAIN]) > interval * fall
        assert f"127.0.0.1:{port}/@@mailbridge-health" in web["healthcheck"]["test"][-1]


def test_the_image_is_built_of_what_there_is():
    text = (FOLDER / "Dockerfile").read_text()
    extras = re.search(r"/src\[(.*)\]", text)[1].split(",")
    assert set(extras) <= set(dependencies.setup_arguments()["extras_require"])
    for pattern in re.findall(r"docs/examples/cluster/(\S+)", "\n".join(re.findall("COPY .*", text))):
        assert list(FOLDER.glob(pattern))


def test_the_buildout_has_the_parts_of_a_cluster():
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    text = (DOCS.parent / "cluster.cfg").read_text()
    parser.read_string(re.sub(r"^<= (\w+)", r"like = \1", text, flags=re.MULTILINE))
    assert parser["buildout"]["parts"].split() == ["zeo", "instance1", "instance2", "worker", "pipe"]
    shared = dict(
        line.split(None, 1) for line in parser["instance"]["environment-vars +"].split("\n") if line
    )
    assert set(shared) == VARIABLES - {queue.KEY}, "a secret is not written into a buildout"
    assert parser["instance"]["pipeline"].split()[0] == "egg:imio.mailbridge#probe"
    addresses = [parser[name]["http-address"] for name in ("instance1", "instance2", "worker")]
    assert len(set(addresses)) == 3
    assert all(parser[name]["like"] == "instance" for name in ("instance1", "instance2", "worker"))
