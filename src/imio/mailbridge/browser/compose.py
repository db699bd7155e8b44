"""The compose page of a document, ``@@send-email``, and its preview, ``@@send-email-preview``."""

from functools import cached_property
from imio.mailbridge.browser import resubmit
from imio.mailbridge.browser.addresses import AddressesFieldWidget
from imio.mailbridge.browser.addresses import widget_text
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.reading import MESSAGES
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.checks import typo_of
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.outbox import prefill
from imio.mailbridge.outbox.checks import doubts
from imio.mailbridge.outbox.permission import action_visible
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.prepare import Invalid
from imio.mailbridge.outbox.prepare import prepare
from imio.mailbridge.outbox.sender import identities
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
from zope.i18n import translate
from zope.interface import Invalid as InvalidValue
from zope.interface import provider
from zope.schema.interfaces import IContextSourceBinder
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary
import json
import re


@provider(IContextSourceBinder)
def senders(context):
    """Return the identities of the current user."""
    own = identities(api.user.get_current().getId(), settings())
    return SimpleVocabulary([SimpleTerm(each.uid, each.uid, str(each.address)) for each in own])


@provider(IContextSourceBinder)
def files(context):
    """Return the files of the document, with their sizes."""
    return SimpleVocabulary(
        [
            SimpleTerm(file.uid, file.uid, name_and_size(file.filename, file.size))
            for file in ISendingContext(context).files()
        ]
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
        description=_("Gets the message too; the others do not see it."),
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
        description=_("Day and time at which the e-mail leaves. Empty: now."),
        required=False,
    )


class EmailForm(TokenForm, AutoExtensibleForm, Form):
    """The form: enter, preview, send."""

    schema = IEmail
    ignoreContext = True
    id = "mailbridge-compose"
    css_class = "mailbridge-compose"
    label = _("Send by e-mail")
    template = ViewPageTemplateFile("templates/compose_form.pt")
    preview = None
    doubts = ()
    enable_autofocus = property(lambda self: not self.doubts)  # the doubts are to be read first
    edited = None  #: the message that is edited and sent again

    @cached_property
    def settings(self):
        """The settings, read once for the form."""
        return settings()

    @cached_property
    def own_identities(self):
        """The identities of the current user."""
        return identities(api.user.get_current().getId(), self.settings)

    def update(self):
        """Apply a suggested address first, then show the remaining doubts."""
        corrected = self._use_suggestion()
        super().update()
        if corrected and (draft := self.draft()) is not None:
            self.doubts = doubts(self.context, draft)

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
        if self.widgets["subject"].name not in self.request.form:
            for name, value in self._beginning().items():
                if name in self.widgets and value:
                    self._prefill(self.widgets[name], masked_data(value))

    def _beginning(self):
        if self.edited is not None:
            return self._written()
        values = ISendingContext(self.context).defaults()
        own = self.own_identities
        sender = next((each for each in own if each.uid == values.get("sender")), own[0] if own else None)
        if sender is not None:
            if signature := signature_block(sender, self.settings):
                values["body"] = f"{values.get('body') or '<p>&nbsp;</p>'}\n{signature}"
            values["bcc"] = list(dict.fromkeys([*values.get("bcc", []), *prefill.bcc(sender, self.settings)]))
        return values

    def offers_messages(self):
        """Tell whether one of the files to attach is a message."""
        return any(file.content_type in MESSAGES for file in ISendingContext(self.context).files())

    def signatures(self):
        """Return uid of a sender → ``signature_block``, as JSON, for the script of the page."""
        return json.dumps({each.uid: signature_block(each, self.settings) for each in self.own_identities})

    def _written(self):
        values = resubmit.form_values(self.edited)
        present = {file.uid for file in ISendingContext(self.context).files()}
        chosen = values.get("attachments") or ()
        kept = [uid for uid in chosen if uid in present]
        if len(kept) < len(chosen):
            api.portal.show_message(
                _(
                    "An attachment of the message is no longer in this document. Choose the attachments again."
                ),
                self.request,
                "warning",
            )
        return {**values, "attachments": kept}

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
        """Return what was entered in the form of ``POST @send-email``, or None when a field is wrong."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return None
        body = data.get("body")
        later = data.get("send_at") and data["send_at"].replace(tzinfo=site_zone())
        if later and later <= now():
            self._refuse(
                [("send_at", _("This time has passed. Choose a later one, or leave the field empty."))]
            )
            return None
        return {
            **data,
            "body": body.raw if isinstance(body, RichTextValue) else "",
            "attachments": data.get("attachments") or [],
            "send_at": later and later.isoformat(),
            "undo": True,
        }

    def draft(self):
        """Return the checked ``Draft``, or None and the errors at their fields."""
        data = self.request_data()
        if data is None:
            return None
        try:
            return prepare(self.context, api.user.get_current().getId(), data)
        except Invalid as invalid:
            self._refuse(invalid.errors)
        return None

    def _refuse(self, errors):
        for field, message in errors:
            text = translate(message, context=self.request)
            if field in self.widgets:
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
        if draft is None:
            return
        found = doubts(self.context, draft)
        if not {each.key for each in found} <= set(accepted):
            self.doubts = found
            self.status = _("Not sent yet: please look at the warnings above the buttons.")
            return
        try:
            draft = committed(self._submit)
        except TransientError:
            self.status = _(
                "Not sent: too many people work on the same thing at this moment. Press the button again in a few seconds."
            )
            return
        if draft is None:
            return
        message = _("The e-mail is on its way. This page shows what becomes of it.")
        if draft.send_at is not None:
            time = readable_time(draft.send_at)
            message = _(
                "The e-mail leaves at ${time}. Until then you can undo it here.", mapping={"time": time}
            )
        api.portal.show_message(message, self.request)
        self.request.response.redirect(f"{self.context.absolute_url()}/view")

    def _submit(self):
        # prepared another time: what was read and made before belongs to another transaction
        draft = self.draft()
        if draft is not None:
            submit(draft)
        return draft

    @button.buttonAndHandler(_("Preview"), name="preview")
    def handle_preview(self, action):
        """Show the form with the preview."""
        draft = self.draft()
        self.preview = draft and preview_of(draft)

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the document."""
        self.request.response.redirect(f"{self.context.absolute_url()}/view")

    def updateActions(self):
        """Mark the main button."""
        super().updateActions()
        self.actions["send"].klass = "submit-widget btn btn-primary"
        self.actions["send_anyway"].klass = "submit-widget btn btn-outline-danger"


def signature_block(identity, values):
    """Return the HTML of a signature, in an element that the script finds when the sender changes; or an empty string."""
    html = prefill.signature(identity, values)
    return f'<div class="mailbridge-signature">{html}</div>' if html else ""


def preview_of(draft):
    """Return what the preview shows."""
    return {
        "from": str(draft.sender.author),
        "reply_to": str(draft.sender.reply_to) if draft.sender.reply_to else "",
        "envelope_sender": draft.sender.envelope_sender,
        "size": readable_size(draft.size),
    }


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
            "to": data.get("to") or ["preview@example.org"],
            "cc": data.get("cc"),
            "bcc": data.get("bcc"),
            "subject": data.get("subject") or "-",
            "body": body.raw if isinstance(body, RichTextValue) else "",
            "attachments": data.get("attachments"),
        }
        self.request.response.setHeader("Content-Type", "application/json")
        try:
            return json.dumps(preview_of(prepare(self.context, api.user.get_current().getId(), data)))
        except Invalid as invalid:
            return json.dumps(
                {"errors": [translate(message, context=self.request) for _field, message in invalid.errors]}
            )


class CanSend(BrowserView):
    """Whether the action is offered (called by its condition)."""

    def __call__(self):
        return action_visible(self.context)
