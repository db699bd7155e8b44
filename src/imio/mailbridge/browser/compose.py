"""The compose page of a document, ``@@send-email``, and its preview, ``@@send-email-preview``."""

from functools import cached_property
from imio.mailbridge.browser import beginning
from imio.mailbridge.browser import resubmit
from imio.mailbridge.browser.addresses import AddressesFieldWidget
from imio.mailbridge.browser.addresses import readable
from imio.mailbridge.browser.addresses import widget_text
from imio.mailbridge.browser.attach import FileForm
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.browser.insert_template import InsertTemplate
from imio.mailbridge.browser.insert_template import TemplateForm
from imio.mailbridge.browser.save_draft import saved_message
from imio.mailbridge.browser.sender import contacts
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.reading import MESSAGES
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.checks import typo_of
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.notify.notice import agent_address
from imio.mailbridge.outbox.checks import doubts
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.draft import Entered
from imio.mailbridge.outbox.draft_files import forget_files
from imio.mailbridge.outbox.draft_files import note_sent
from imio.mailbridge.outbox.merge_fields import blanked
from imio.mailbridge.outbox.permission import action_visible
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.prepare import Invalid
from imio.mailbridge.outbox.prepare import prepare
from imio.mailbridge.outbox.saved_drafts import delete_draft
from imio.mailbridge.outbox.saved_drafts import draft_of
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.outbox.sender import sender_for
from imio.mailbridge.outbox.submission import known_submission
from imio.mailbridge.outbox.submission import next_submission
from imio.mailbridge.outbox.submission import submitted
from imio.mailbridge.outbox.submission import submitted_ids
from imio.mailbridge.outbox.submit import submit
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.size import name_and_size
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from plone import api
from plone.app.textfield import RichText
from plone.app.textfield.value import RichTextValue
from plone.app.z3cform.widgets.richtext import RichTextFieldWidget
from plone.autoform import directives
from plone.autoform.form import AutoExtensibleForm
from plone.supermodel import model
from plone.uuid.interfaces import IUUID
from plone.z3cform.layout import FormWrapper
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from transaction.interfaces import TransientError
from z3c.form import button
from z3c.form.browser.checkbox import CheckBoxFieldWidget
from z3c.form.form import Form
from z3c.form.interfaces import HIDDEN_MODE
from z3c.form.interfaces import IDataConverter
from z3c.form.interfaces import IErrorViewSnippet
from zope import schema
from zope.component import getMultiAdapter
from zope.globalrequest import getRequest
from zope.i18n import translate
from zope.interface import Invalid as InvalidValue
from zope.interface import provider
from zope.schema.interfaces import IContextSourceBinder
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary
import dataclasses
import json
import re


#: Whom a preview is for before a recipient is chosen.
NOBODY_YET = ["preview@example.org"]
#: On the request: the attachments that a draft or an edited message names.
NAMED = "mailbridge.named_files"


@provider(IContextSourceBinder)
def senders(context):
    """Return the identities of the current user."""
    own = identities(api.user.get_current().getId(), settings())
    return SimpleVocabulary([SimpleTerm(each.uid, each.uid, readable(each.address)) for each in own])


@provider(IContextSourceBinder)
def files(context):
    """Return the files of the document, and those that the user attached to the message, with their sizes."""
    request = getRequest()
    posted = request.form.get("form.widgets.attachments") or ()
    named = [posted] if isinstance(posted, str) else posted
    found = beginning.attachable(context, [*named, *request.other.get(NAMED, ())])
    return SimpleVocabulary(
        [SimpleTerm(file.uid, file.uid, name_and_size(file.filename, file.size)) for file in found]
    )


class IEmail(model.Schema):
    """The fields of an e-mail."""

    sender = schema.Choice(title=_("Sender"), source=senders, required=True)
    directives.widget("to", AddressesFieldWidget)
    to = schema.List(
        title=_("To"),
        description=_("Type a name or an address; several are possible."),
        value_type=schema.TextLine(),
        required=True,
    )
    directives.widget("cc", AddressesFieldWidget)
    cc = schema.List(title=_("Cc"), value_type=schema.TextLine(), required=False)
    directives.widget("bcc", AddressesFieldWidget)
    bcc = schema.List(
        title=_("Bcc"),
        description=_("Gets the message without the others seeing it."),
        value_type=schema.TextLine(),
        required=False,
    )
    subject = schema.TextLine(title=_("Subject"), required=True)
    directives.widget("body", RichTextFieldWidget)
    body = RichText(
        title=_("Message"),
        default_mime_type="text/html",
        output_mime_type="text/html",
        allowed_mime_types=("text/html",),
        required=False,
    )
    directives.widget("attachments", CheckBoxFieldWidget)
    attachments = schema.List(title=_("Attachments"), value_type=schema.Choice(source=files), required=False)
    send_at = schema.Datetime(
        title=_("Send later"),
        description=_("Date and time at which the e-mail goes out. Empty: now."),
        required=False,
    )


class EmailForm(TokenForm, TemplateForm, FileForm, AutoExtensibleForm, Form):
    """The form: enter, preview, send."""

    schema = IEmail
    ignoreContext = True
    id = "mailbridge-compose"
    css_class = "mailbridge-compose"
    label = _("Send by e-mail")
    template = ViewPageTemplateFile("templates/compose_form.pt")
    preview = None
    doubts = ()
    sent_before = None  #: the message that was made of this form
    enable_unload_protection = False  # drafts are saved instead
    edited = None  #: the message that is edited and sent again
    is_fresh = True  #: whether the page was opened, not posted

    @property
    def problems(self):
        """Return the errors at fields: dicts of the ``id`` of the field, its ``label`` and the ``message``."""
        return [
            {"id": f"formfield-{each.id}", "label": each.label, "message": each.error.message}
            for each in self.widgets.values()
            if getattr(each, "error", None)
        ]

    @property
    def enable_autofocus(self):
        """What is wrong or doubtful is to be read first; a draft is gone on with where it was left."""
        return not (
            self.doubts
            or self.widgets.errors
            or self.sent_before
            or self.template_problems
            or self.file_problems
        )

    @cached_property
    def settings(self):
        """The settings, read once for the form."""
        return settings()

    @cached_property
    def own_identities(self):
        """The identities of the current user."""
        return identities(api.user.get_current().getId(), self.settings)

    @cached_property
    def userid(self):
        """The id of the current user."""
        return api.user.get_current().getId()

    @cached_property
    def document(self):
        """The uid of the document."""
        return IUUID(self.context)

    @cached_property
    def saved(self):
        """The draft of the current user, or None."""
        return draft_of(self.userid, self.document)

    @cached_property
    def submission(self):
        """The id that the message will have (``outbox.submission``)."""
        given = self.request.form.get("mailbridge.submission")
        return known_submission(self.userid, self.document, given)

    @cached_property
    def revision(self):
        """The revisions of the draft that the form knows: the one it began from or saved last, and one that is being saved."""
        given = self.request.form.get("mailbridge.revision")
        return given if isinstance(given, str) else ""

    @property
    def shows_draft(self):
        """Tell whether the form shows the draft, perhaps changed since."""
        return self.saved is not None and self.saved.revision in self.revision.split()

    def saved_message(self):
        """Return the line that says that the draft is saved."""
        return saved_message(self.saved)

    def submitted_ids(self):
        """Return the ids of the last messages of the user from here, for the script of the page."""
        return " ".join(submitted_ids(self.userid, self.document))

    def update(self):
        """Apply a suggested address first, then show the remaining doubts; or insert a template."""
        self.is_fresh = self.request.method != "POST"
        if self.is_fresh:
            self.request.set(NAMED, self._named_files())
        else:
            self.take_files()
        corrected = self._use_suggestion()
        super().update()
        if not self.is_fresh and self.request.form.keys() & {"mailbridge.insert", "mailbridge.fill"}:
            self.insert_template()
        if corrected:
            self._doubtful(self.draft())

    def _named_files(self):
        """Return the attachments of what the form begins from."""
        if self.edited is not None:
            return self.edited.written.data.get("attachments") or ()
        return self.saved.fields.get("attachments") or () if self.saved is not None else ()

    def _use_suggestion(self):
        """Replace the address of the pressed button "Use …" by its correction; return whether there was one."""
        wrong = self.request.form.get("mailbridge.correct")
        meant = typo_of(wrong) if isinstance(wrong, str) else None
        for name in ("to", "cc", "bcc"):
            key = f"{self.prefix}widgets.{name}"
            if meant and isinstance(self.request.form.get(key), str):
                pattern = rf"(?<![^\s;,<(]){re.escape(wrong)}(?![^\s;,>)])"
                self.request.form[key] = re.sub(
                    pattern, meant.replace("\\", r"\\"), self.request.form[key], flags=re.I
                )
        return bool(meant)

    def updateWidgets(self):
        """Prefill from the document or from the message that is edited; offer no attachments where there are none."""
        super().updateWidgets()
        if not len(self.widgets["attachments"].terms):
            self.widgets["attachments"].mode = HIDDEN_MODE
        if not self.is_fresh:
            return
        if self.saved is not None and self.edited is None:
            self._open_draft()
        else:
            for name, value in self._beginning().items():
                if name in self.widgets and value:
                    self._prefill(self.widgets[name], masked_data(value))

    def _open_draft(self):
        """Begin from the user's draft: its fields are shown as they stood in the form."""
        values, complete = beginning.of_draft(self.saved, self.context)
        for name, value in values.items():
            self.widgets[name].value = value
        self.revision = self.saved.revision
        self._say_missing(complete)

    def _beginning(self):
        if self.edited is None:
            return beginning.of_document(self.context, self.own_identities, self.settings)
        written, complete = beginning.of_message(self.edited, self.context)
        self._say_missing(complete)
        return written

    def _say_missing(self, complete):
        if not complete:
            api.portal.show_message(
                _(
                    "An attachment of the message is no longer in this document. Choose the attachments again."
                ),
                self.request,
                "warning",
            )

    def may_create_contact(self):
        """Tell whether the town lets the user add contacts."""
        return contacts() is not None

    def offers_messages(self):
        """Tell whether one of the files to attach is a message."""
        return any(file.content_type in MESSAGES for file in ISendingContext(self.context).files())

    def signatures(self):
        """Return uid of a sender → ``signature_block``, as JSON, for the script of the page."""
        return json.dumps(
            {each.uid: beginning.signature_block(each, self.settings) for each in self.own_identities}
        )

    def _prefill(self, widget, value):
        if widget.__name__ == "body":
            value = RichTextValue(value, "text/html", "text/html")
        elif widget.__name__ in ("to", "cc", "bcc"):
            entries = (entry for text in value for entry in typed_addresses(text))
            value = [widget_text(each) if isinstance(each, Address) else each for each in entries]
        elif widget.__name__ == "send_at":
            value = local_time(value).replace(tzinfo=None)
        try:
            widget.value = IDataConverter(widget).toWidgetValue(value)
        except LookupError:  # a sender or a file that is not on offer (any more)
            return

    def request_data(self):
        """Return (what was entered in the form of ``POST @send-email``, whether all fields could be read)."""
        data, errors = self.extractData()
        body = data.get("body")
        later = data.get("send_at") and data["send_at"].replace(tzinfo=site_zone())
        readable = not errors and not self.file_problems
        if later and later <= now():
            passed = _("This time has passed. Choose a later one, or leave the field empty.")
            self._refuse([("send_at", passed)])
            later, readable = None, False
        return {
            **data,
            "to": data.get("to") or [],
            "body": body.raw if isinstance(body, RichTextValue) else "",
            "attachments": data.get("attachments") or [],
            "send_at": later and later.isoformat(),
            "undo": True,
        }, readable

    def draft(self):
        """Return the checked ``Draft``, or ``Entered`` and all errors at their fields."""
        data, readable = self.request_data()
        try:
            draft = prepare(self.context, self.userid, data, id=self.submission)
        except Invalid as invalid:
            self._refuse(invalid.errors)
            return invalid.entered
        if readable:
            return draft
        self.status = self.formErrorsMessage
        return Entered(**{each.name: getattr(draft, each.name) for each in dataclasses.fields(Entered)})

    def _refuse(self, errors):
        for field, message in errors:
            text = translate(message, context=self.request)
            if field in self.widgets:
                if not getattr(self.widgets[field], "error", None):
                    self._show(self.widgets[field], InvalidValue(text))
            else:
                api.portal.show_message(text, self.request, "error")
        self.status = self.formErrorsMessage

    def _show(self, widget, error):
        view = getMultiAdapter(
            (error, self.request, widget, widget.field, self, self.context), IErrorViewSnippet
        )
        view.update()
        widget.error = view
        self.widgets.errors = (*self.widgets.errors, view)

    @button.buttonAndHandler(_("Send"), name="send")
    def handle_send(self, action):
        """Store the message and go back to the document; the worker sends it. Doubts are shown first."""
        self._send(accepted=())

    @button.buttonAndHandler(_("Send anyway"), name="send_anyway")
    def handle_send_anyway(self, action):
        """Send in spite of the doubts that were shown; a new doubt is shown first."""
        accepted = self.request.form.get("mailbridge.doubts")
        self._send(accepted=accepted.split(";") if isinstance(accepted, str) else ())

    def _send(self, accepted):
        draft = self.draft()
        if self._was_sent(draft) or not self._doubtful(draft, accepted):
            return
        try:
            draft = committed(self._submit)
        except TransientError:
            self.status = _(
                "Not sent: too many people are working on the same thing right now. Press the button again in a few seconds."
            )
            return
        if draft is None:
            return
        message = _("The e-mail is on its way. This page shows what becomes of it.")
        if draft.send_at is not None:
            time = readable_time(draft.send_at)
            message = _(
                "The e-mail goes out at ${time}. Until then you can undo it here.", mapping={"time": time}
            )
        self._leave(message)

    def _doubtful(self, draft, accepted=()):
        """Look for doubts; return whether the message may leave."""
        found = doubts(self.context, draft)
        if isinstance(draft, Draft) and {each.key for each in found} <= set(accepted):
            return True
        self.doubts = found
        self.status = self.status or _("Not sent yet: please look at the warnings above the buttons.")
        return False

    def _was_sent(self, draft):
        """Tell whether a message was made of this form before, and show it; another text can be sent as another message."""
        record = submitted(self.submission)
        if record is None:
            return False
        mapping = {"time": readable_time(record.created)}
        if isinstance(draft, Draft) and is_same_text(record, draft):
            self._leave(_("This e-mail was already sent at ${time}. It is not sent twice.", mapping=mapping))
            return True
        self.sent_before = record
        self.submission = next_submission(self.userid, self.document)
        self.status = _(
            "Not sent: an e-mail was already sent from this form, at ${time}. What is written here differs from it. Press "
            "“Send” to send this as another e-mail.",
            mapping=mapping,
        )
        return True

    def _submit(self):
        # prepared another time: what was read and made before belongs to another transaction
        draft = self.draft()
        if not isinstance(draft, Draft) or self._was_sent(draft):
            return None
        submit(draft)
        note_sent(self.userid, self.document, draft.written.get("attachments", ()), draft.id)
        delete_draft(self.userid, self.document, *(self.revision.split() or [""]))
        if draft_of(self.userid, self.document) is None:
            forget_files(self.userid, self.document)
        return draft

    def _leave(self, message=None):
        if message:
            api.portal.show_message(message, self.request)
        self.request.response.redirect(f"{self.context.absolute_url()}/view")

    @button.buttonAndHandler(_("Preview"), name="preview")
    def handle_preview(self, action):
        """Show the form with the preview."""
        draft = self.draft()
        self.preview = preview_of(draft) if isinstance(draft, Draft) else None

    @button.buttonAndHandler(_("Delete the draft"), name="delete_draft")
    def handle_delete_draft(self, action):
        """Delete the draft and begin anew."""
        forget_files(self.userid, self.document)
        if delete_draft(self.userid, self.document):
            api.portal.show_message(_("The draft has been deleted."), self.request)
        self.request.response.redirect(f"{self.context.absolute_url()}/@@send-email")

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the document; a draft stays."""
        kept = _("Nothing was sent. Your draft is kept: it is there when you write from this document again.")
        self._leave(kept if self.saved is not None else None)

    def updateActions(self):
        """Mark the main button."""
        super().updateActions()
        self.actions["send"].klass = "submit-widget btn btn-primary"
        self.actions["send_anyway"].klass = "submit-widget btn btn-outline-danger"


def is_same_text(record, draft):
    """Tell whether a stored message says the same to the same people as a draft, as far as it is still known."""
    written = record.written.data if record.written is not None else draft.written
    return (
        record.subject == draft.subject
        and set(record.recipients) == {each.addr_spec for each in (*draft.to, *draft.cc, *draft.bcc)}
        and all(written.get(name) == draft.written.get(name) for name in ("body", "attachments"))
    )


def preview_of(draft):
    """Return what the preview shows."""
    return {
        "line": sender_line(draft.sender),
        "from": readable(draft.sender.author),
        "reply_to": readable(draft.sender.reply_to) if draft.sender.reply_to else "",
        "envelope_sender": draft.sender.envelope_sender,
        "size": readable_size(draft.size),
    }


COMES_HOME = _("Goes out in the name of ${author}; answers come to iA.docs, and you get a copy.")
COMES_HOME_ALONE = _("Goes out in the name of ${author}; answers come to iA.docs.")


def sender_line(sender):
    """Return the line that says in whose name an e-mail leaves, and where the answers go."""
    author, answers = sender.author, sender.reply_to or sender.author
    if sender.agent is not None:
        copied = agent_address(api.user.get_current().getId())
        return _(COMES_HOME if copied else COMES_HOME_ALONE, mapping={"author": readable(author)})
    return _(
        "Goes out in the name of ${author}; answers go to ${answers}.",
        mapping={"author": readable(author), "answers": answers.addr_spec},
    )


class ComposePage(FormWrapper):
    """The page around the form, with the preview."""

    form = EmailForm
    index = ViewPageTemplateFile("templates/compose.pt")

    def update(self):
        """Check the permission and find the message that is edited, if any."""
        check_may_send(self.context)
        self.request.set("disable_plone.rightcolumn", 1)
        if (id := self.request.form.get("edit")) is not None:
            self.form_instance.edited = resubmit.record_to_edit(self.context, id)
        super().update()

    @property
    def line(self):
        """Return in whose name the e-mail leaves, or why it cannot."""
        form = self.form_instance
        if form.preview:
            return form.preview["line"]
        chosen = form.widgets["sender"].value
        own = form.own_identities
        identity = next((each for each in own if each.uid in chosen), own[0])
        account = form.settings.account_for(identity.address.addr_spec)
        if account is None:
            return _("No SMTP account serves the address of this sender.")
        try:
            return sender_line(sender_for(identity, account, form.settings)[0])
        except SenderRefused as refused:
            return _(refused.args[0])

    @property
    def can_send(self):
        """Tell whether sending is set up."""
        return action_visible(self.context)

    @property
    def has_identity(self):
        """Tell whether the user has a sender at all."""
        return bool(self.form_instance.own_identities)


class PreviewJSON(BrowserView):
    """The preview of the form as JSON, for the script of the page."""

    def __call__(self):
        check_may_send(self.context)
        form = EmailForm(self.context, self.request)
        form.update()
        data, _errors = form.extractData()
        body = data.get("body")
        data = {
            "sender": data.get("sender"),
            "to": data.get("to") or NOBODY_YET,
            "cc": data.get("cc"),
            "bcc": data.get("bcc"),
            "subject": data.get("subject") or "-",
            "body": body.raw if isinstance(body, RichTextValue) else "",
            "attachments": data.get("attachments"),
        }
        if data["to"] == NOBODY_YET:  # the fields of a template cannot be filled in yet
            data |= {name: blanked(data[name]) for name in ("subject", "body")}
        self.request.response.setHeader("Content-Type", "application/json")
        try:
            shown = preview_of(prepare(self.context, form.userid, data))
            shown["line"] = translate(shown["line"], context=self.request)
        except Invalid as invalid:
            errors = [
                {"field": field, "message": translate(message, context=self.request)}
                for field, message in invalid.errors
            ]
            shown = {"errors": errors}
        return json.dumps(shown)


class FilledTemplate(InsertTemplate):
    """A template filled in for the form."""

    form = EmailForm


class CanSend(BrowserView):
    """Whether the action is offered (called by its condition)."""

    def __call__(self):
        return action_visible(self.context)
