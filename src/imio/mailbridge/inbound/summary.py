"""The daily e-mail that says which messages wait for a decision."""

from collections import Counter
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.notify.notice import language_at
from imio.mailbridge.notify.notice import paragraphs
from imio.mailbridge.notify.notice import send_notice
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from zope.component.hooks import getSite
from zope.i18n import translate


#: Not before this hour, so that it is on top in the morning.
HOUR = 6
WAITING = ("quarantined", "failed")


def summarise():
    """Send the summary of today unless that was done; one transaction, so two workers at once send one."""
    values, today = settings(), local_time(now())
    box, day = inbox(), today.date().isoformat()
    if not values.digest_address or today.hour < HOUR or box.summarised == day:
        return
    box.summarised = day
    ids = box.newest_ids(*WAITING)
    account = values.account_for(values.digest_address)
    if ids and account is not None and account.login_address:
        subject, html = _summary(box, ids, language_at(values.digest_address))
        send_notice(account, account.login_address, values.digest_address, subject, html)


def _summary(box, ids, language):
    def say(msgid, **mapping):
        return translate(_(msgid, mapping=mapping), target_language=language)

    reasons = Counter()
    for cell in box.listing.cells(where=lambda cell: cell[0] in WAITING):
        reasons[cell[2]] += box.listing.size([cell])
    page = f"{getSite().absolute_url()}/@@mailbridge-inbox?state=quarantined"
    lines = [
        (f"{count} × {say(reason_texts(reason)[0] or reason)}", "")
        for reason, count in reasons.most_common()
        if count
    ]
    oldest = local_time(box.oldest(*WAITING)).date().isoformat()
    waiting = plural(
        len(ids),
        _("An incoming e-mail is waiting for a decision"),
        _("${count} incoming e-mails are waiting for a decision"),
    )
    return translate(waiting, target_language=language), paragraphs(
        say(_("These messages arrived in iA.docs, and no document was made from them:")),
        lines,
        say(_("The oldest of them came on ${date}."), date=oldest),
        [(say(_("View them and decide")), page)],
        say(_("iA.docs wrote this message automatically. Nobody reads answers to it.")),
    )
