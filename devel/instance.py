"""Writes an instance, a folder with configuration and data, for ``make start`` and for the tests."""

from pathlib import Path
import os


ROOT = Path(__file__).resolve().parent.parent

ZOPE_CONF = """\
instancehome {home}
debug-mode off
<environment>
  zope_i18n_compile_mo_files true
  CHAMELEON_CACHE {cache}
{environment}
</environment>
{imports}<zodb_db main>
{storage}
  mount-point /
  cache-size 30000
</zodb_db>
"""

FILE_STORAGE = """\
  <filestorage>
    path {home}/var/Data.fs
    blob-dir {home}/var/blobstorage
  </filestorage>"""

ZEO_STORAGE = """\
  <zeoclient>
    server {server}
    blob-dir {home}/var/blobcache
    wait true
  </zeoclient>"""

ZOPE_INI = """\
[app:zope]
use = egg:Zope#main
zope_conf = {home}/etc/zope.conf

[pipeline:main]
pipeline =
    egg:Zope#httpexceptions
    zope

[server:main]
use = egg:waitress#main
listen = 127.0.0.1:{port}
threads = 4
clear_untrusted_proxy_headers = true

[loggers]
keys = root

[handlers]
keys = file

[formatters]
keys = generic

[formatter_generic]
class = imio.mailbridge.logs.Formatter
format = %(asctime)s %(levelname)s [%(name)s] %(message)s

[logger_root]
level = INFO
handlers = file

[handler_file]
class = FileHandler
args = ('{home}/var/log/instance.log', 'a')
formatter = generic
"""

SITE_ZCML = """\
<configure xmlns="http://namespaces.zope.org/zope"
           xmlns:five="http://namespaces.zope.org/five">
  <include package="Zope2.App" />
  <five:loadProducts file="meta.zcml" />
  <five:loadProducts />
  <five:loadProductsOverrides />
</configure>
"""


#: The time zone of the demo town. Plone's own pages show times in that of the process, ours in that of the site.
ZONE = "Europe/Brussels"


def environment() -> dict[str, str]:
    """Return the environment of a process of the demo."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "TZ": ZONE, "PYTHONPATH": path}


def write(home: Path, port: int, zeo: str = "", **environment: str) -> Path:
    """Write the configuration of an instance in ``home``, listening on 127.0.0.1:``port``; return the path of its zope.ini.

    ``zeo`` is the address of a ZEO server (``127.0.0.1:8100``); without one the instance has a file storage of its own.
    """
    for folder in ("etc", "var/log", "var/cache", "var/blobstorage", "var/blobcache"):
        (home / folder).mkdir(parents=True, exist_ok=True)
        (home / folder).chmod(0o700)
    storage = ZEO_STORAGE.format(home=home, server=zeo) if zeo else FILE_STORAGE.format(home=home)
    lines = "\n".join(f"  {name} {value}" for name, value in environment.items())
    imports = "%import ZEO\n" if zeo else ""
    cache = os.environ.get("CHAMELEON_CACHE") or home / "var/cache"
    conf = ZOPE_CONF.format(home=home, cache=cache, environment=lines, storage=storage, imports=imports)
    (home / "etc/zope.conf").write_text(conf)
    (home / "etc/zope.ini").write_text(ZOPE_INI.format(home=home, port=port))
    (home / "etc/site.zcml").write_text(SITE_ZCML)
    return home / "etc/zope.ini"
