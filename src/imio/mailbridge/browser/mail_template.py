"""The form ``@@mailbridge-template-edit`` for managers of mail: one template or text block, tried on a real document."""

from functools import cached_property
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.browser.mail_templates import KINDS
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox import merge_fields
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.outbox.visibility import visible_content
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.terms import terms
from plone import api
from plone.app.textfield import RichText
from plone.app.textfield.value import RichTextValue
from plone.app.z3cform.widgets.richtext import RichTextFieldWidget
from plone.autoform import directives
from plone.autoform.form import AutoExtensibleForm
from plone.supermodel import model
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form import button
from z3c.form import form
from z3c.form.interfaces import IErrorViewSnippet
from zExceptions import NotFound
from zope import schema
from zope.component import getMultiAdapter
from zope.i18n import translate
from zope.interface import Invalid as InvalidValue


#: Documents on which a text can be tried: those changed last.
DOCUMENTS = 20


class IMailTemplate(model.Schema):
    """The fields of a template."""

    kind = schema.Choice(
        title=_("Kind"),
        description=_(
            "A template is a whole e-mail. A text block is a piece of one, such as the opening hours."
        ),
        vocabulary=terms(**KINDS),
        default=mail_templates.TEMPLATE,
    )
    name = schema.TextLine(
        title=_("Name"),
        description=_("The name by which agents choose it."),
        constraint=validate.one_line,
        max_length=mail_templates.MAX_NAME,
    )
    service = schema.Choice(
        title=_("Service"),
        description=_("Only its agents are offered this text. Empty: all agents."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )
    subject = schema.TextLine(
        title=_("Subject"),
        description=_("For a template: used where the e-mail has no subject yet."),
        required=False,
        max_length=mail_templates.MAX_SUBJECT,
    )
    directives.widget("body", RichTextFieldWidget)
    body = RichText(
        title=_("Text"),
        default_mime_type="text/html",
        output_mime_type="text/html",
        allowed_mime_types=("text/html",),
        required=False,
    )


class MailTemplateForm(TokenForm, AutoExtensibleForm, form.Form):
    """The form; ``id`` names the text that is changed."""

    schema = IMailTemplate
    ignoreContext = True  # noqa: N815 - of z3c.form
    id = "mailbridge-template-form"
    template = ViewPageTemplateFile("templates/mail_template.pt")
    preview = None
    revision = ""  #: the content that the form began from

    def update(self):
        """Find the text; errors: ``NotFound``."""
        self.request.set("disable_plone.rightcolumn", 1)
        given = self.request.form.get("mailbridge.revision")
        self.revision = given if isinstance(given, str) else self.edited.revision if self.edited else ""
        super().update()

    @cached_property
    def edited(self):
        """The text that is changed, or None for a new one."""
        if "id" not in self.request.form:
            return None
        found = mail_templates.mail_template(self.request.form["id"])
        if found is None and self.request.method != "POST":
            raise NotFound("mailbridge-template-edit")
        return found

    @property
    def edited_id(self):
        """The id of the text that is changed, also where it is gone by now; empty for a new one."""
        id = self.request.form.get("id", "")
        return id if isinstance(id, str) else ""

    @property
    def label(self):
        """Return the heading."""
        if self.edited is None:
            return _("Add a template or text block")
        return self.edited.name

    @property
    def action(self):
        """Return the address of this form."""
        return f"{self.request.getURL()}?id={self.edited_id}" if self.edited_id else self.request.getURL()

    @property
    def fields_known(self):
        """Return (field as it is typed, what it means) of all fields."""
        return [(merge_fields.written(name), meaning) for name, meaning in merge_fields.FIELDS.items()]

    def updateWidgets(self, prefix=None):  # noqa: N802 - of z3c.form
        """Fill in what is kept."""
        super().updateWidgets(prefix)
        if self.edited is None or self.request.method == "POST":
            return
        for name in ("kind", "service"):
            self.widgets[name].value = [getattr(self.edited, name)]
        for name in ("name", "subject"):
            self.widgets[name].value = getattr(self.edited, name)
        self.widgets["body"].value = RichTextValue(self.edited.body, "text/html", "text/html")

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Keep the text, unless somebody else changed it meanwhile."""
        content = self._entered()
        if content is None:
            return
        userid = api.user.get_current().getId()
        try:
            mail_templates.save(content, userid, self.edited_id, self.revision)
        except mail_templates.Invalid as invalid:
            self._refuse(invalid.errors)
        except mail_templates.ChangedElsewhere as changed:
            self._say_changed(changed.template)
        else:
            api.portal.show_message(_("The text has been saved. Agents can now choose it."), self.request)
            self._leave()

    @button.buttonAndHandler(_("Preview"), name="preview")
    def handle_preview(self, action):
        """Show the text as it would be for the chosen document and recipient."""
        content = self._entered()
        if content is None:
            return
        try:
            content = mail_templates.checked(content, self.edited_id)
        except mail_templates.Invalid as invalid:
            self._refuse(invalid.errors)
            return
        self.preview = self._preview_of(content)

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the list."""
        self._leave()

    def documents(self):
        """Return the documents on which the text can be tried: those that the user may see, the last changed first."""
        brains = api.portal.get_tool("portal_catalog").searchResults(
            portal_type=(names.OUTGOING_MAIL, names.INCOMING_EMAIL),
            sort_on="modified",
            sort_order="descending",
        )[:DOCUMENTS]
        chosen = self.request.form.get("mailbridge.document")
        return [
            {"uid": each.UID, "title": masked(each.Title), "selected": chosen == each.UID}
            for each in visible_content([brain.UID for brain in brains])
        ]

    @property
    def recipient(self):
        """Return the address that was entered for the preview."""
        text = self.request.form.get("mailbridge.recipient", "")
        return masked(text) if isinstance(text, str) else ""

    def _preview_of(self, content):
        uid = self.request.form.get("mailbridge.document")
        brains = visible_content([uid]) if isinstance(uid, str) else ()
        document = brains[0]._unrestrictedGetObject() if brains else None
        if not ISendByEmail.providedBy(document):
            self.status = _("Choose a document for the preview.")
            return None
        sending = ISendingContext(document)
        entered = [self.recipient] if self.recipient.strip() else sending.defaults().get("to", [])[:1]
        own = identities(api.user.get_current().getId(), settings())
        to = merge_fields.typed_recipients(entered)
        known = merge_fields.values(document, own[0] if own else None, to)
        subject, body, problems = merge_fields.filled(content.subject, content.body, known)
        return masked_data({"subject": subject, "body": body, "problems": problems})

    def _entered(self):
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return None
        body = data.get("body")
        return mail_templates.Content(
            kind=data["kind"],
            name=data["name"],
            service=data.get("service") or "",
            subject=data.get("subject") or "",
            body=body.raw if isinstance(body, RichTextValue) else "",
        )

    def _refuse(self, errors):
        self.status = self.formErrorsMessage
        for name, message in errors:
            widget = self.widgets[name]
            error = InvalidValue(translate(message, context=self.request))
            if getattr(widget, "error", None):
                error = InvalidValue(f"{widget.error.message} {error}")
            view = getMultiAdapter(
                (error, self.request, widget, widget.field, self, self.context), IErrorViewSnippet
            )
            view.update()
            widget.error = view
            self.widgets.errors = (*self.widgets.errors, view)

    def _say_changed(self, template):
        """Say that the text was changed or deleted meanwhile; the next press of the button saves all the same."""
        if template is None:
            self.request.form.pop("id", None)
            self.revision, self.edited = "", None
            self.status = _(
                "Not saved: somebody has deleted this text in the meantime. Press “Save” to keep what is written here as a new "
                "text."
            )
            return
        self.revision = template.revision
        self.status = _(
            "Not saved: ${user} has changed this text in the meantime (${time}). That version is shown below the form. Press "
            "“Save” to replace it with what is written here.",
            mapping={"user": user_name(template.changed_by), "time": readable_time(template.changed_at)},
        )
        self.other = {"name": template.name, "subject": template.subject, "body": template.body}

    other = None  #: what somebody else saved meanwhile

    def _leave(self):
        self.request.response.redirect(f"{api.portal.get().absolute_url()}/@@mailbridge-templates")
