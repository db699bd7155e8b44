"""The message of a document on its page, in its frame, and as PDF."""

from email.message import EmailMessage
from imio.mailbridge.iadocs import rendition as renditions
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.rendition.confined import LimitExceeded
from imio.mailbridge.message.rendition.confined import Unfinished
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue.queue import get_queue
from imio.mailbridge.taskqueue.queue import RENDITIONS
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from tests.mails import redirected
from tests.mails import TRUSTED
from transaction import TransactionManager
from ZODB.POSException import ConflictError
import pytest
import transaction


HTML = {"Accept": "text/html"}


@pytest.fixture
def filed(site):
    """A message with HTML that wants to fetch something, filed."""
    message = EmailMessage()
    message["From"] = "Jeanne Dupont <jeanne.dupont@citizen.test>"
    message["To"], message["Subject"] = "info@maville.test", "Véranda"
    message["Date"] = "Mon, 16 Nov 2026 23:30:00 +0100"
    message["Resent-From"] = "info@maville.test"
    message.set_content("Bonjour en texte")
    message.add_alternative(
        "<p>Bonjour <b>é</b><img src='https://track.test/p.gif'><script>alert(1)</script></p>", "html"
    )
    message.add_attachment(b"%PDF", "application", "pdf", filename="plan.pdf")
    answer = site.post("/@@mail-in", "gateway", data=message.as_bytes(), headers=TRUSTED)
    assert answer.status_code == 201, answer.text
    (uid,) = inbox().get(answer.json()["id"]).items
    return uuidToObject(uid, unrestricted=True)


def test_document_shows_its_message(site, filed):
    page = site.get(f"{filed.absolute_url()}/view", "agent", headers=HTML).text
    assert "jeanne.dupont@citizen.test" in page
    assert "plan.pdf</a>" in page
    assert f'src="{filed.absolute_url()}/mail/@@mailbridge-frame"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "track.test" not in page
    assert "mailbridge-frame" in site.get(f"{filed.absolute_url()}/mail/view", "agent", headers=HTML).text
    assert (
        "mailbridge-frame"
        not in site.get(f"{filed.absolute_url()}/appendix-1/view", "agent", headers=HTML).text
    )


def test_frame_is_locked(site, filed):
    answer = site.get(f"{filed.absolute_url()}/mail/@@mailbridge-frame", "agent", headers=HTML)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in answer.headers["Cache-Control"]
    assert "<script" not in answer.text
    assert "track.test" not in answer.text


def frame(site, filed):
    answer = site.get(f"{filed.absolute_url()}/mail/@@mailbridge-frame", "agent", headers=HTML)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    return answer.text


def render(site, filed):
    site.task("@@mailbridge-render", uid=IUUID(filed["mail"]))
    return renditions.rendition(filed["mail"])


def test_text_is_shown_at_once_and_its_layout_once_it_is_prepared(site, filed):
    before = frame(site, filed)
    assert "Bonjour en texte" in before
    assert "layout and images are being prepared" in before
    render(site, filed)
    after = frame(site, filed)
    assert "Bonjour <b>é</b>" in after
    assert "<title>Véranda</title>" in after
    assert "One image or other content from the internet was left out." in after
    assert "prepared" not in after
    for page in (before, after):
        assert "<script" not in page
        assert "track.test" not in page
        assert "plone" not in page, "no theme, nothing that Plone adds"


@pytest.mark.parametrize("user", [None, "gateway"])
@pytest.mark.parametrize("view", ["@@mailbridge-frame", "@@rendition.pdf"])
def test_who_may_not_see_the_document_sees_no_rendition(site, filed, user, view):
    assert site.get(f"{filed.absolute_url()}/mail/{view}", user, headers=HTML).status_code in (302, 401, 404)
    assert "Bonjour" not in site.get(f"{filed.absolute_url()}/mail/{view}", user, headers=HTML).text


def test_frame_of_what_is_no_message_is_not_found(site, filed):
    assert (
        site.get(f"{filed.absolute_url()}/appendix-1/@@mailbridge-frame", "agent", headers=HTML).status_code
        == 404
    )


def test_pdf_waits_and_is_made_by_the_task(site, filed):
    mail = filed["mail"]
    assert renditions.rendition(mail).state == "waiting"
    assert renditions.waiting() == [IUUID(mail)]
    assert site.get(f"{mail.absolute_url()}/@@rendition.pdf", "agent", headers=HTML).status_code == 404
    site.task("@@mailbridge-render", uid=IUUID(mail))
    made = renditions.rendition(mail)
    assert (made.state, made.error, renditions.waiting()) == ("done", "", [])
    answer = site.get(f"{mail.absolute_url()}/@@rendition.pdf", "agent", headers=HTML)
    assert answer.content.startswith(b"%PDF-1.7")
    assert len(answer.content) == made.size
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''V%C3%A9randa.pdf"
    assert "@@rendition.pdf" in site.get(f"{filed.absolute_url()}/view", "agent", headers=HTML).text


def test_pdf_that_fails_leaves_the_message_and_can_be_made_again(site, filed, monkeypatch):
    mail = filed["mail"]
    with monkeypatch.context() as context:
        context.setattr(renditions.pdf, "render", lambda source, target: raise_(LimitExceeded("memory")))
        made = render(site, filed)
    assert (made.state, made.error, renditions.waiting()) == ("failed", "memory", [])
    assert mail.file.data.startswith(b"From: Jeanne")
    assert "Bonjour <b>é</b>" in frame(site, filed)
    page = site.get(f"{filed.absolute_url()}/view", "admin", headers=HTML).text
    assert "@@mailbridge-render-again" in page
    assert "@@rendition.pdf" not in page
    url = f"{mail.absolute_url()}/@@mailbridge-render-again"
    assert site.get(url, "admin", headers=HTML).status_code == 404
    before = site.portal._p_jar.db().lastTransaction()
    assert site.post(url, "admin", headers=HTML).status_code == 302
    assert site.portal._p_jar.db().lastTransaction() == before, "without a token"
    renditions.request(mail)
    transaction.commit()
    assert render(site, filed).state == "done"


def raise_(error):
    raise error


def test_layout_that_is_too_much_for_the_renderer_gives_a_pdf_of_the_text(site, filed, monkeypatch):
    given = []

    def renderer(source, target):
        source.seek(0)
        given.append(source.read().decode())
        if len(given) == 1:
            raise LimitExceeded("processor time")
        return target.write(b"%PDF-1.7")

    monkeypatch.setattr(renditions.pdf, "render", renderer)
    made = render(site, filed)
    assert (made.state, made.size, len(given)) == ("done", 8, 2)
    assert "Bonjour <b>é</b>" in given[0]
    assert "Bonjour en texte" in given[1]
    assert "too complex or too long" in given[1]
    assert "Bonjour <b>é</b>" in frame(site, filed), "a browser shows the layout"


def test_message_that_ends_the_worker_is_not_tried_for_ever(site, filed, monkeypatch):
    mail = filed["mail"]
    plain = []

    def killed(file, html, plain_):
        plain.append(plain_)
        raise SystemExit

    with monkeypatch.context() as context:
        context.setattr(renditions, "_prepare", lambda file, html, plain: killed(file, html, plain))
        for tries in (1, 2, 3):
            with pytest.raises(SystemExit):
                render(site, filed)
            made = renditions.rendition(mail)
            assert (made.state, made.tries) == ("waiting", tries)
            render(site, filed)
            assert made.tries == tries, "another worker is at it"
            made.leased_until = now()
            transaction.commit()
    assert plain == [False, False, True]
    made = render(site, filed)
    assert (made.state, made.error) == ("failed", "the worker ended several times")
    assert renditions.waiting() == []
    assert "Bonjour en texte" in frame(site, filed)


def test_busy_machine_is_not_the_fault_of_the_message(site, filed, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(renditions, "_prepare", lambda *args, **kw: raise_(Unfinished("time")))
        for _number in range(5):
            made = render(site, filed)
            assert (made.state, made.tries, made.leased_until) == ("waiting", 0, None)
    assert render(site, filed).state == "done"


def test_conflict_renders_nothing_twice(site, filed, monkeypatch):
    keep, conflicts, rendered = renditions._keep_pdf, iter([ConflictError(), ConflictError()]), []

    def conflicting(*args):
        keep(*args)
        if (error := next(conflicts, None)) is not None:
            raise error

    def renderer(source, target):
        rendered.append(source)
        return target.write(b"%PDF-1.7")

    monkeypatch.setattr(renditions, "_keep_pdf", conflicting)
    monkeypatch.setattr(renditions.pdf, "render", renderer)
    made = render(site, filed)
    assert (made.state, made.tries, len(rendered)) == ("done", 1, 1)
    with made.pdf.open() as stream:
        assert stream.read() == b"%PDF-1.7"


def test_result_of_a_lease_that_ended_is_thrown_away(site, filed, monkeypatch):
    """Somebody asked for a new rendition while an old one was being made."""
    mail = filed["mail"]

    def renderer(source, target):
        renditions.request(mail)
        transaction.commit()
        return target.write(b"%PDF-1.7")

    monkeypatch.setattr(renditions.pdf, "render", renderer)
    made = render(site, filed)
    assert (made.state, made.pdf, renditions.waiting()) == ("waiting", None, [IUUID(mail)])


def test_filing_and_rendering_at_once_do_not_conflict(site, filed):
    """One connection takes the last file out of what waits, another puts one in."""
    database = site.portal._p_jar.db()
    other = database.open(transaction_manager := TransactionManager())
    try:
        waiting = other.get(renditions._waiting()._p_oid)
        waiting.insert("another")
        renditions._leave(IUUID(filed["mail"]))
        transaction.commit()
        transaction_manager.commit()
    finally:
        other.close()
    transaction.begin()
    assert renditions.waiting() == ["another"]


def test_without_renderer_the_message_is_shown_and_nothing_waits(site, monkeypatch):
    monkeypatch.setattr(renditions.pdf, "is_available", lambda: False)
    answer = site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    item = uuidToObject(inbox().get(answer.json()["id"]).items[0], unrestricted=True)
    assert render(site, item).state == "off"
    assert not renditions.waiting()
    assert site.get(f"{item.absolute_url()}/view", "agent", headers=HTML).status_code == 200
    assert "prepared" not in frame(site, item)


def test_deleted_document_leaves_nothing_waiting(site, filed):
    uid = IUUID(filed["mail"])
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(filed, check_linkintegrity=False)
    transaction.commit()
    site.task("@@mailbridge-render", uid=uid)
    assert not renditions.waiting()


def test_sweep_queues_what_waits_and_has_no_task(site, filed, monkeypatch):
    uid, woken = IUUID(filed["mail"]), []
    monkeypatch.setattr(renditions, "wake", woken.append)
    queue = get_queue(RENDITIONS)
    queue.huey.flush()
    queue.submit(0, "id", "/plone/@@mailbridge-render", "POST", {"uid": "of another"}, {}, "", None)
    site.task("@@mailbridge-sweep-renditions")
    assert woken == [], "the queue is not empty: its tasks are not lost"
    queue.huey.flush()
    site.task("@@mailbridge-sweep-renditions")
    assert woken == [uid]
    renditions.rendition(filed["mail"]).leased_until = now() + renditions.LEASE
    transaction.commit()
    site.task("@@mailbridge-sweep-renditions")
    assert woken == [uid], "a worker is at it"


# what a reader sees, for each form of a body


def filed_as(site, raw):
    answer = site.post("/@@mail-in", "gateway", data=raw, headers=TRUSTED)
    assert answer.status_code == 201, answer.text
    return uuidToObject(inbox().get(answer.json()["id"]).items[0], unrestricted=True)


def shown(site, raw):
    """File a message, prepare it, return its frame and its document."""
    document = filed_as(site, raw)
    render(site, document)
    return frame(site, document), document


def parts(*parts, kind="mixed"):
    """Return a redirected message of several (content type, text) parts."""
    head = (
        "From: Jeanne <jeanne@citizen.test>\nTo: info@maville.test\nSubject: Parties\nResent-From: info@maville.test\n"
        f"Message-ID: <{kind}{len(parts)}@citizen.test>\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=b\n\n"
    )
    return (
        head + "".join(f"--b\nContent-Type: {name}\n\n{text}\n" for name, text in parts) + "--b--\n"
    ).encode()


def test_each_text_of_a_message_is_shown_in_its_order(site):
    page, _document = shown(
        site,
        parts(
            ("text/plain", "Je demande un subside"),
            ("text/html", "<p>Antivirus : rien</p>"),
            ("text/plain", "Liste"),
        ),
    )
    assert page.index("Je demande un subside") < page.index("Antivirus : rien") < page.index("Liste")


def test_form_that_says_nothing_gives_way(site):
    pixel = "<html><body><img src='https://track.test/p.gif' width=1>\u200b</body></html>"
    page, _document = shown(
        site, parts(("text/plain", "Le vrai texte"), ("text/html; charset=utf-8", pixel), kind="alternative")
    )
    assert "Le vrai texte" in page


def test_what_was_guessed_or_is_said_is_told_with_the_words_of_the_message(site):
    odd = redirected(**{"Date": None, "X-Spam-Flag": "YES"}).replace(
        b"From:", b"Date: hier vers midi\nFrom:", 1
    )
    page, _document = shown(site, odd)
    assert "The date of the message cannot be read (hier vers midi)" in page
    assert (
        "A mail filter marked this message as unwanted mail; check it before you rely on it (x-spam-flag: YES)"
        in page
    )


def test_appointment_is_told_in_the_time_of_the_town(site):
    api.portal.set_registry_record("plone.portal_timezone", "Europe/Brussels")
    transaction.commit()
    event = (
        "BEGIN:VEVENT\nUID:1\nSUMMARY:Réunion\nDTSTART:20261202T083000Z\nDTEND:20261202T093000Z\nEND:VEVENT\n"
    )
    calendar = f"BEGIN:VCALENDAR\nMETHOD:CANCEL\n{event}END:VCALENDAR\n"
    page, _document = shown(
        site,
        parts(("text/plain", "Annulation"), ("text/calendar; charset=utf-8", calendar), kind="alternative"),
    )
    assert "<strong>Cancelled: Réunion</strong> Dec 02, 2026 09:30 AM – 10:30" in page


def test_picture_that_no_browser_shows_is_an_attachment_and_said(site):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jeanne@citizen.test", "info@maville.test", "Photo"
    message["Resent-From"], message["Message-ID"] = "info@maville.test", "<heic@citizen.test>"
    message.set_content("<p>Voici <img src='cid:a'></p>", "html")
    message.add_related(b"\0\0\0\x18ftypheic", "image", "heic", cid="<a>", filename="trou.heic")
    page, document = shown(site, message.as_bytes())
    assert "One image of the text cannot be shown here." in page
    assert document["appendix-1"].file.filename == "trou.heic"


def test_same_content_under_two_names_is_two_files(site):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jeanne@citizen.test", "info@maville.test", "Carte"
    message["Resent-From"], message["Message-ID"] = "info@maville.test", "<two@citizen.test>"
    message.set_content("Ma carte\n")
    for name in ("recto.pdf", "verso.pdf", "recto.pdf"):
        message.add_attachment(b"%PDF", "application", "pdf", filename=name)
    document = filed_as(site, message.as_bytes())
    names = [child.file.filename for child in document.objectValues() if child.id.startswith("appendix")]
    assert names == ["recto.pdf", "verso.pdf"]


def test_reply_to_is_shown_and_answered(site):
    document = filed_as(
        site,
        redirected(
            "Formulaire",
            **{"From": "Site web <info@maville.test>", "Reply-To": "Lou Petit <lou@citizen.test>"},
        ),
    )
    page = site.get(f"{document.absolute_url()}/view", "agent", headers=HTML).text
    assert "Reply to" in page
    assert "lou@citizen.test" in page
    assert ISendingContext(document).defaults()["to"] == ['"Lou Petit" <lou@citizen.test>']
    assert "lou@citizen.test" in ISendingContext(document).known_addresses()


def test_what_was_guessed_is_said_above_the_text(site):
    page, _document = shown(site, redirected("Sans fuseau").replace(b"23:30:00 +0100", b"23:30:00"))
    assert "The date has no time zone; the town&#x27;s was used" in page
