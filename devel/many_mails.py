"""Run by ``zconsole run`` for ``bench_lists``: make many incoming e-mails with their text, cheaply. Argument: how many."""

from datetime import datetime
from datetime import timedelta
from imio.mailbridge.iadocs import mail_text
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.filing import _add
from imio.mailbridge.interfaces import IMailbridgeLayer
from plone.dexterity.utils import createContent
from plone.uuid.interfaces import IUUID
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
from zope.interface import alsoProvides
import random
import sys
import transaction


WORDS = 4000
A_MAIL = 120
NAMES = ("Jeanne Dupont", "Zoé Zénon", "Yvan Yernaux", "Rachida Amrani", "Jan Peeters")


def main(app, count):
    """Make the mails, 200 in each period, the newest of today."""
    app = makerequest(app)
    site = app["iadocs"]
    setSite(site)
    alsoProvides(app.REQUEST, IMailbridgeLayer)
    setRequest(app.REQUEST)
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghilmnoprstu", k=7)) for _number in range(WORDS)]
    services = [
        IUUID(each)
        for each in site["contacts"]["plonegroup-organization"].objectValues()
        if each.portal_type == names.ORGANIZATION
    ]
    incoming, now = site[names.INCOMING_FOLDER], datetime.now().replace(microsecond=0)
    for number in range(count):
        period = f"bench-{number // 200:03}"
        if period not in incoming:
            folder = _add(incoming, period, createContent("Folder", title=period))
            folder.setLayout(names.MAIL_LIST)
        name = chance.choice(NAMES)
        mail = createContent(
            names.INCOMING_EMAIL,
            title=f"Demande {number} {chance.choice(words)}",
            orig_sender_email=f'"{name}" <{name.split()[0].lower()}{number % 500}@citizen.test>',
            reception_date=now - timedelta(minutes=20 * number),
            treating_groups=chance.choice([*services, None]),
            assigned_user=chance.choice(["agent", "agent2", "agent3", None]),
            internal_reference_no=f"B{number}",
        )
        file = createContent(names.MAIN_FILE, title=mail.title)
        file.id = "mail"
        mail._setObject("mail", file, set_owner=0, suppress_events=True)
        mail_text.keep(mail["mail"], " ".join(chance.choices(words, k=A_MAIL)))
        _add(incoming[period], f"b{number}", mail)
        if number % 200 == 199:
            transaction.commit()
            app._p_jar.cacheMinimize()
    transaction.commit()
    print(words[0])


if "app" in globals():  # given by zconsole
    main(globals()["app"], int(sys.argv[sys.argv.index("--") + 1]))
