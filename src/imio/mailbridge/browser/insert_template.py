"""Inserts templates and blocks into the e-mail that is written: by the script of the compose page, or by a button of its form.

Their fields are filled in for the document, the sender and the recipient of the form, so that the agent sees the real text. What
cannot be filled in stands there in braces, and keeps the e-mail from leaving (``outbox/merge_fields``).
"""

from functools import cached_property
from imio.mailbridge.browser.beginning import own_identity
from imio.mailbridge.i18n import _
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox import merge_fields
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.visibility import is_manager
from plone.app.textfield.value import RichTextValue
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound
from zope.i18n import translate
import json
import re


_EMPTY = re.compile(r"^(?:\s*<p>(?:&nbsp;|\u00a0|\s|<br ?/?>)*</p>)+\s*")


class TemplateForm:
    """Mixin of the form: ``mailbridge.insert`` inserts the chosen template at the top, ``mailbridge.fill`` fills fields in."""

    template_problems = ()
    template_choice = ViewPageTemplateFile("templates/insert_template.pt")

    @cached_property
    def _offered(self):
        return mail_templates.offered(self.userid)

    def templates_offered(self):
        """Return what the select offers: (label of a group, texts) for each group that has any."""
        groups = ((_("Templates"), mail_templates.TEMPLATE), (_("Text blocks"), mail_templates.BLOCK))
        found = [(label, [each for each in self._offered if each.kind == kind]) for label, kind in groups]
        return [group for group in found if group[1]]

    def manages_templates(self):
        """Tell whether the user may change them."""
        return is_manager()

    def chosen_template(self):
        """Return the template that the request names, or None; a service's templates are its agents' alone."""
        id = self.request.form.get("mailbridge.template") or self.request.form.get("id")
        return next((each for each in self._offered if each.id == id), None)

    def insert_template(self):
        """Do what the button says; the form comes back with everything else as it was typed."""
        form, data = self.request.form, self.extractData()[0]
        is_fill = "mailbridge.fill" in form
        template = None if is_fill else self.chosen_template()
        if not is_fill and template is None:
            self.template_problems = (_("Choose a template or a text block first."),)
            return
        answer = self.filled(template, data)
        body = data.get("body")
        body = body.raw if isinstance(body, RichTextValue) else ""
        text = answer["body"] if is_fill else f"{answer['body']}\n{_EMPTY.sub('', body)}"
        self.widgets["body"].value = RichTextValue(text, "text/html", "text/html")
        if answer["subject"] and (is_fill or not (data.get("subject") or "").strip()):
            self.widgets["subject"].value = answer["subject"]
        self.template_problems = answer["problems"]

    def filled(self, template, data):
        """Return ``subject``, ``body`` and ``problems`` of a template, or of the form itself, for what the form says."""
        identity = own_identity(self.own_identities, data.get("sender"))
        to = merge_fields.typed_recipients(data.get("to") or ())
        known = merge_fields.values(self.context, identity, to)
        if template is None:
            body = data.get("body")
            subject = data.get("subject") or ""
            body = body.raw if isinstance(body, RichTextValue) else ""
        else:
            subject, body = template.subject, template.body
        subject, body, problems = merge_fields.filled(subject, body, known)
        said = [translate(each, context=self.request) for each in problems]
        return masked_data({"subject": subject, "body": body, "problems": said})


class InsertTemplate(BrowserView):
    """``@@mailbridge-template``: the template ``id`` filled in for the form that is posted, as JSON; or the form's own text."""

    form = None  #: the form of the compose page

    def __call__(self):
        check_may_send(self.context)
        form = self.form(self.context, self.request)
        form.update()
        template = form.chosen_template()
        if template is None and "mailbridge.fill" not in self.request.form:
            raise NotFound("mailbridge-template")
        self.request.response.setHeader("Content-Type", "application/json")
        self.request.response.setHeader("Cache-Control", "no-store")
        return json.dumps(form.filled(template, form.extractData()[0]))
