"""Measures every page that people work on, in a site with much mail, beside plain pages of Plone in the same run.

Run by ``make bench``; alone: ``python -m devel.bench_pages [COUNT]``. COUNT documents, incoming messages and outgoing messages are
made. The ratio is to a plain page of Plone, the processor's time that of the whole process: on a busy machine these two tell more
than the time on the clock.
"""

from devel.bench_incoming import HEADERS
from devel.bench_incoming import row
from devel.bench_incoming import with_attachments
from devel.bench_lists import make
from pathlib import Path
from tests.servers.instance import Instance
from tests.site.compose import token
import os
import re
import statistics
import sys
import tempfile
import time


COUNT, ROUNDS = 10_000, 9
#: No page takes longer than this, in milliseconds, on two processors that do nothing else.
LIMIT = 300
MAILS = "/outgoing-mail/permis-durbanisme"
LETTER = "/incoming-mail/demande-de-permis"

#: What, who looks, path. The first is what the others are compared with.
PAGES = (
    ("a page of Plone", "agent", "/bench-page"),
    ("Plone's listing of a folder with 200 documents", "agent", "/incoming-mail/bench-000/listing_view"),
    ("Plone's form to edit a page", "admin", "/bench-page/edit"),
    ("my mail, an agent", "agent", "/@@my-mail"),
    ("  a manager of mail", "chef", "/@@my-mail"),
    ("  the counts alone", "agent", "/@@my-mail-counts"),
    ("list of incoming mail", "agent", "/incoming-mail"),
    ("  of a period", "agent", "/incoming-mail/bench-000"),
    ("  not answered", "agent", "/incoming-mail?answered=no"),
    ("list of outgoing mail", "agent", "/outgoing-mail"),
    ("an incoming document with three files", "agent", "{filed}/view"),
    ("  its text", "agent", "{filed}/mail/@@mailbridge-frame"),
    ("an incoming document with a conversation", "agent", f"{LETTER}/view"),
    ("an outgoing document with 20 e-mails", "agent", f"{MAILS}/view"),
    ("  its conversation", "agent", f"{MAILS}/@@mailbridge-messages"),
    ("an e-mail of it", "agent", "/@@mailbridge-sent-message?id={sent}"),
    ("write an e-mail", "agent", f"{MAILS}/@@send-email"),
    ("answer an e-mail", "agent", "{answer}"),
    ("my e-mails", "agent", "/@@my-emails"),
    ("  answered ones", "agent", "/@@my-emails?state=replied"),
    ("my forwards", "agent", "/@@my-forwards"),
    ("incoming messages to decide", "chef", "/@@mailbridge-inbox"),
    ("  all", "chef", "/@@mailbridge-inbox?state=all"),
    ("  with a word", "chef", "/@@mailbridge-inbox?state=all&text=demande"),
    ("one of them", "chef", "/@@mailbridge-inbox-message?id={waiting}"),
    ("outbox", "chef", "/@@mailbridge-outbox"),
    ("  with a word", "chef", "/@@mailbridge-outbox?q=citizen1"),
    ("a message of it", "chef", "/@@mailbridge-outbox-message?id={sent}"),
    ("figures", "chef", "/@@mailbridge-figures"),
    ("returned addresses", "chef", "/@@mailbridge-returned"),
    ("control panel", "admin", "/@@mailbridge-controlpanel"),
    ("  accounts", "admin", "/@@mailbridge-accounts"),
    ("  mailboxes", "admin", "/@@mailbridge-mailboxes"),
)
TICKS = os.sysconf("SC_CLK_TCK")


def _processor(pid):
    """Return the milliseconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def measured(instance, user, path):
    """Return milliseconds of a page: the median after the first, the first, and the processor's; errors: no page."""
    times, used = [], 0.0
    for number in range(ROUNDS + 1):
        if number == 1:
            used = _processor(instance.process_id)
        start = time.perf_counter()
        answer = instance.get(path, user, headers={"Accept": "text/html", "Accept-Language": "fr"})
        times.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    used = _processor(instance.process_id) - used
    return statistics.median(times[1:]), times[0], used / ROUNDS


def names(instance):
    """File a message with three files, begin an answer; return what stands in the paths."""
    answer = instance.post("/@@mail-in", "gateway", data=with_attachments(-1), headers=HEADERS)
    assert answer.status_code in (200, 201), answer.text
    filed = answer.json()["items"][0]["@id"].removeprefix(instance.url)
    waiting = instance.get("/@mail-in?state=quarantined&b_size=1", "chef").json()["items"][0]["id"]
    return {"filed": filed, "waiting": waiting, "sent": f"{0:032x}", "answer": answer_begun(instance)}


def answer_begun(instance):
    """Press *Reply* as an agent does; return the path of the page on which the answer is written."""
    html = {"Accept": "text/html"}
    page = instance.get(f"{LETTER}/view", "agent", headers=html).text
    press = re.search(r'name="press"[^>]*value="([^"]+)"', page)[1]
    data = {"kind": "reply", "press": press, "_authenticator": token(page)}
    answer = instance.post(f"{LETTER}/@@mailbridge-reply", "agent", data=data, headers=html)
    assert answer.headers["Location"].endswith("/@@send-email"), answer.text
    return answer.headers["Location"].removeprefix(instance.url)


def main(count=COUNT):
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder), pdf=False)
        instance.make()
        start = time.perf_counter()
        for script in ("many_mails", "town"):
            make(instance, count, script)
        row(f"{count} documents and messages of both kinds made", f"{time.perf_counter() - start:.0f}", "s")
        instance.start(MAILBRIDGE_WORKER="off")
        try:
            found, plain = names(instance), None
            for what, user, path in PAGES:
                median, first, used = measured(instance, user, path.format(**found))
                plain = plain or median
                late = f", above {LIMIT} ms" if median > LIMIT else ""
                note = f"ratio {median / plain:.1f}; first {first:.0f}; processor {used:.0f}{late}"
                row(what, f"{median:.0f}", "ms", note)
        finally:
            instance.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
