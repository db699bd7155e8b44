"""Measures filing without HTTP; run by ``bench_incoming`` in the console of a stopped demo instance.

The last line on standard output is JSON: milliseconds for the five objects of one message by plone.api in one transaction, and by
the bridge, from the bytes to the second commit.
"""

from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.users import UnrestrictedUser
from devel.bench_incoming import ATTACHMENTS
from devel.bench_incoming import HEADERS
from devel.bench_incoming import ROUNDS
from devel.bench_incoming import with_attachments
from imio.mailbridge.inbound.receive import receive
from imio.mailbridge.interfaces import IMailbridgeLayer
from io import BytesIO
from plone import api
from plone.namedfile.file import NamedBlobFile
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
from zope.interface import alsoProvides
import json
import os
import statistics
import time
import transaction


class Delivery:
    """What ``receive`` reads of a request."""

    def __init__(self, raw):
        self.stdin = BytesIO(raw)

    def getHeader(self, name, default=None):  # noqa: N802 - of Zope's request
        return HEADERS.get(name, default)

    def get(self, name, default=None):
        return default


def by_plone_api(site, number):
    """Create an incoming e-mail, its main file and its attachments."""
    raw = with_attachments(number)
    contents = [os.urandom(size) for _name, size in ATTACHMENTS]
    start = time.perf_counter()
    item = api.content.create(
        site["incoming-mail"], "dmsincoming_email", title=f"Demande {number}", mail_type="email"
    )
    mail = NamedBlobFile(data=raw, contentType="message/rfc822", filename="mail.eml")
    api.content.create(item, "dmsmainfile", title="mail", file=mail)
    for (filename, _size), content in zip(ATTACHMENTS, contents, strict=True):
        file = NamedBlobFile(data=content, contentType="application/octet-stream", filename=filename)
        api.content.create(item, "dmsappendixfile", title=filename, file=file)
    transaction.commit()
    return time.perf_counter() - start


def by_the_bridge(site, number):
    """Receive and file the message that has the same attachments."""
    delivery = Delivery(with_attachments(number))
    start = time.perf_counter()
    status, _record = receive(delivery)
    transaction.commit()
    assert status == 201, status
    return time.perf_counter() - start


def main(app):
    """Print the figures."""
    app = makerequest(app)
    newSecurityManager(None, UnrestrictedUser("bench", "", ["Manager"], []).__of__(app.acl_users))
    site = app["iadocs"]
    setSite(site)
    alsoProvides(app.REQUEST, IMailbridgeLayer)
    setRequest(app.REQUEST)
    figures = {}
    for name, run in (("plone.api", by_plone_api), ("bridge", by_the_bridge)):
        times = [run(site, 10_000 + number) for number in range(ROUNDS + 1)]
        figures[name] = statistics.median(times[1:]) * 1000
    print(json.dumps(figures))


if "app" in globals():
    main(app)  # noqa: F821 - zconsole defines it
