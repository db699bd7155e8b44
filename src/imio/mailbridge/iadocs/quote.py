"""Quotes a message in the e-mail that answers it or passes it on, in the language of the site: text alone, bounded."""

from html import escape
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.reading import labels
from imio.mailbridge.iadocs.reading import rows
from imio.mailbridge.message.rendition.written import plain_text
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.outbox.prefill import QUOTE_CLASS
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import month_name
from imio.mailbridge.settings.clock import site_zone
from zope.i18n import translate
import re


#: What stands before a quote: a signature comes above it.
QUOTE = f'<div class="{QUOTE_CLASS}">'
#: Characters and lines that are quoted.
MAX_TEXT, MAX_LINES = 15_000, 400
_CUT = _("[The rest of the message is left out here.]")
_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n+")


def answered(message, author, language):
    """Return the HTML of an answer to a message of ``author``: an empty paragraph, who wrote when, and the text."""
    return _body(f"<p>{escape(_attribution(message, author, language))}</p>", message, language)


def passed_on(message, language):
    """Return the HTML of an e-mail that passes a message on: an empty paragraph, its head and its text."""
    lines = [f"{label}: {masked(text)}" for label, text in rows(message, labels(language))]
    title = translate(_("Forwarded message"), target_language=language)
    head = "<br />".join(map(escape, (f"---------- {title} ----------", *lines)))
    return _body(f"<p>{head}</p>", message, language)


def _body(head, message, language):
    return (
        f'<p>&nbsp;</p>\n{QUOTE}{head}<blockquote type="cite">{_text(message, language)}</blockquote></div>'
    )


def _attribution(message, author, language):
    who = masked(f"{author.display_name} <{author.addr_spec}>".strip())
    date = message.date_in(site_zone())
    if date is None:
        return translate(_("${who} wrote:", mapping={"who": who}), target_language=language)
    local = local_time(date)
    mapping = {
        "day": str(local.day),
        "month": month_name(local, language),
        "year": str(local.year),
        "time": f"{local:%H:%M}",
        "who": who,
    }
    sentence = _("On ${day} ${month} ${year} at ${time}, ${who} wrote:", mapping=mapping)
    return translate(sentence, target_language=language)


def _text(message, language):
    text = plain_text(message, MAX_TEXT + 1)
    lines = _EMPTY_LINES.sub("\n\n", text[:MAX_TEXT].strip()).split("\n")
    shown = [escape(line.rstrip(), quote=False) for line in lines[:MAX_LINES]]
    if len(text) > MAX_TEXT or len(lines) > MAX_LINES:
        shown.append(escape(translate(_CUT, target_language=language)))
    return "<p>" + "<br />".join(shown) + "</p>"
