"""Distribution imio.mailbridge: metadata and the compilation of its catalogs."""

from pathlib import Path
from setuptools import find_namespace_packages
from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCatalogs(build_py):
    """Compile each .po beside itself: a wheel without .mo would speak English only."""

    def run(self):
        from pythongettext.msgfmt import Msgfmt

        for po in Path("src").rglob("LC_MESSAGES/*.po"):
            with po.open("rb") as stream:
                po.with_suffix(".mo").write_bytes(Msgfmt(stream).get())
        super().run()


here = Path(__file__).parent

setup(
    name="imio.mailbridge",
    version="1.0a1.dev0",
    description="Mail bridge for iA.docs: sends with the right sender, files what comes in",
    long_description="\n\n".join((here / name).read_text("utf-8") for name in ("README.rst", "CHANGES.rst")),
    long_description_content_type="text/x-rst",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Web Environment",
        "Framework :: Plone",
        "Framework :: Plone :: 6.2",
        "Framework :: Plone :: Addon",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Communications :: Email",
    ],
    keywords="Plone iA.docs e-mail SMTP forwarding",
    author="iMio",
    author_email="support@imio.be",
    url="https://github.com/IMIO/imio.mailbridge",
    license="GPL-2.0-only",
    packages=find_namespace_packages("src", include=["imio.*"]),
    package_dir={"": "src"},
    include_package_data=True,
    zip_safe=False,
    python_requires=">=3.11,<3.14",
    install_requires=[
        "AccessControl",
        "Acquisition",
        "BTrees",
        "IMAPClient",
        "Products.CMFCore",
        "Products.CMFPlone>=6.2,<6.3",
        "Products.GenericSetup",
        "Products.MailHost",
        "Products.PluggableAuthService",
        "ZODB",
        "Zope",
        "collective.z3cform.datagridfield>=4",
        "compressed-rtf",
        "cryptography",
        "dkimpy",
        "dnspython",
        "huey>=3.5",
        "icalendar",
        "markdownify",
        "nh3",
        "oauthlib>=3.3",
        "olefile",
        "persistent",
        "plone.api",
        "plone.app.contenttypes",
        "plone.app.dexterity",
        "plone.app.layout",
        "plone.app.registry",
        "plone.app.relationfield",
        "plone.app.textfield",
        "plone.app.uuid",
        "plone.app.z3cform",
        "plone.autoform",
        "plone.base",
        "plone.batching",
        "plone.behavior",
        "plone.dexterity",
        "plone.formwidget.namedfile",
        "plone.indexer",
        "plone.namedfile",
        "plone.protect",
        "plone.registry",
        "plone.restapi",
        "plone.supermodel",
        "plone.uuid",
        "plone.z3cform",
        "publicsuffixlist",
        "requests",
        "striprtf",
        "tqdm",
        "transaction",
        "z3c.form",
        "z3c.relationfield",
        "zExceptions",
        "zc.lockfile",
        "zope.annotation",
        "zope.component",
        "zope.event",
        "zope.globalrequest",
        "zope.i18n",
        "zope.i18nmessageid",
        "zope.interface",
        "zope.intid",
        "zope.lifecycleevent",
        "zope.publisher",
        "zope.schema",
        "zope.sendmail",
    ],
    extras_require={
        "check": ["check-manifest", "i18ndude", "import-linter", "mypy", "pyroma", "ruff", "zpretty"],
        "pdf": ["weasyprint"],
        "postgresql": ["psycopg[binary]"],
        "redis": ["redis"],
        "test": [
            "Plone",
            "ZEO",
            "aiosmtpd",
            "authres",
            "axe-playwright-python",
            "i18ndude",
            "import-linter",
            "plone.app.testing",
            "plone.testing",
            "playwright",
            "pytest",
            "pytest-plone",
            "redis",
            "requests",
            "trustme",
            "weasyprint",
        ],
    },
    scripts=[
        "src/imio/mailbridge/pipe/mailbridge-pipe",
        "src/imio/mailbridge/pipe/mailbridge_pipe.py",
    ],
    cmdclass={"build_py": BuildWithCatalogs},
    entry_points={
        "console_scripts": [
            "mailbridge-explain = imio.mailbridge.message.explain:main",
            "mailbridge-fetch = imio.mailbridge.gateway.fetch_command:main",
            "mailbridge-worker = imio.mailbridge.taskqueue.worker:main",
        ],
        "plone.autoinclude.plugin": ["target = plone"],
        "z3c.autoinclude.plugin": ["target = plone"],
    },
)
