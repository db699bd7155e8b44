"""The fields of a document beside its text: those that are changed in place, and all others on a page of their own."""

from AccessControl import Unauthorized
from Acquisition import aq_base
from Acquisition import aq_parent
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.sending import related
from plone import api
from plone.dexterity.browser.view import DefaultView
from plone.dexterity.interfaces import IDexterityFTI
from Products.CMFCore.WorkflowCore import WorkflowException
from zExceptions import NotFound
from zope.component import getUtility
from zope.event import notify
from zope.i18n import translate
from zope.lifecycleevent import Attributes
from zope.lifecycleevent import ObjectModifiedEvent


MODIFY = "Modify portal content"
#: Fields that are changed in place, in the order of the panel.
IN_PLACE = ("treating_groups", "assigned_user")
#: Fields that stand elsewhere on the page, or say what the conversation says.
ELSEWHERE = frozenset(
    {"title", "orig_sender_email", "reception_date", "original_mail_date", "internal_reference_no", *IN_PLACE}
)
OF_EMAIL = "email_"


def is_locked(context):
    """Tell whether another user is editing the document."""
    info = context.restrictedTraverse("@@plone_lock_info", None)
    return info is not None and bool(info.is_locked_for_current_user())


class Panel:
    """What the panel shows of a document, to the current user."""

    def __init__(self, document):
        self.document = document
        self.may_edit = api.user.has_permission(MODIFY, obj=document)
        self.url = document.absolute_url()

    def choices(self):
        """Return the fields that are changed in place: name, title, value, terms to choose from, words for the value."""
        schema = getUtility(IDexterityFTI, name=self.document.portal_type).lookupSchema()
        return [_choice(schema[name], self.document) for name in IN_PLACE if name in schema]

    @property
    def state(self):
        """Return id and title of the state, or None without a workflow."""
        state = api.content.get_state(self.document, default=None)
        if state is None:
            return None
        workflows = api.portal.get_tool("portal_workflow")
        title = workflows.getTitleForStateOnType(state, self.document.portal_type)
        return {"id": state, "title": translate(title, domain="plone", target_language=_language())}

    @property
    def transitions(self):
        """Return id and title of what the user may do."""
        found = api.portal.get_tool("portal_workflow").getTransitionsFor(self.document)
        return [
            {
                "id": each["id"],
                "title": translate(each["title"] or each["id"], domain="plone", target_language=_language()),
            }
            for each in found
        ]

    @property
    def reference(self):
        """Return the town's reference, or an empty string."""
        return getattr(aq_base(self.document), "internal_reference_no", None) or ""

    def contacts(self, name):
        """Return title and address of the contacts of a field that the user may view."""
        found = related(self.document, name)
        return [
            {"title": each.Title(), "url": each.absolute_url()}
            for each in found
            if each is not None and api.user.has_permission("View", obj=each)
        ]


def _language():
    return api.portal.get_current_language()


def _choice(field, document):
    field = field.bind(document)
    value = getattr(aq_base(document), field.__name__, None) or ""
    terms = [{"value": term.value, "title": term.title or term.value} for term in field.vocabulary]
    shown = next((term["title"] for term in terms if term["value"] == value), value)
    return {"name": field.__name__, "title": field.title, "value": value, "terms": terms, "shown": shown}


class ChangeFields(ButtonPage):
    """``POST @@mailbridge-fields``: changes service, agent or state of a document.

    Each form says what its author saw: what somebody else changed since then is not overwritten.
    """

    buttons = {"assign": "_assign", "change": "_change_state"}

    def _show(self):
        return self._give_back()

    def _give_back(self):
        return self.request.response.redirect(self.next_url)

    @property
    def next_url(self):
        """Return the page of the document, or of the nearest container that the user may still view."""
        target = self.context
        while not api.user.has_permission("View", obj=target):
            target = aq_parent(target)
        return f"{target.absolute_url()}/view" if target is self.context else target.absolute_url()

    def _find_target(self, name):
        if name == "assign" and not api.user.has_permission(MODIFY, obj=self.context):
            raise Unauthorized("This needs the right to edit the document.")

    def _assign(self):
        if is_locked(self.context):
            self._say(
                _(
                    "Somebody else is editing this document, so nothing was changed. Try again when they have finished."
                ),
                "warning",
            )
            return
        choices = {each["name"]: each for each in Panel(self.context).choices()}
        wanted = {name: self.entered(name) for name in choices if name in self.request.form}
        changed = {name for name, value in wanted.items() if value != self.entered(f"seen_{name}")}
        conflicts = [
            name
            for name in changed
            if choices[name]["value"] not in (self.entered(f"seen_{name}"), wanted[name])
        ]
        if conflicts:
            for name in conflicts:
                self._say_conflict(choices[name]["title"], choices[name]["shown"])
            return
        changed = {name for name in changed if wanted[name] != choices[name]["value"]}
        for name in changed:
            if wanted[name] not in ("", *(term["value"] for term in choices[name]["terms"])):
                raise NotFound(name)
        for name in changed:
            setattr(self.context, name, wanted[name] or None)
        if changed:
            schema = getUtility(IDexterityFTI, name=self.context.portal_type).lookupSchema()
            notify(ObjectModifiedEvent(self.context, Attributes(schema, *sorted(changed))))
            self._say(_("The document was changed."))
        else:
            self._say(_("Nothing was changed."))

    def _change_state(self):
        state = Panel(self.context).state
        if state is None:
            raise NotFound("transition")
        if state["id"] != self.entered("seen_state"):
            self._say_conflict(_("State"), state["title"])
            return
        try:
            api.portal.get_tool("portal_workflow").doActionFor(self.context, self.entered("transition"))
        except WorkflowException:
            self._say(_("The state was not changed: you may not do this, or no longer."), "warning")
        else:
            self._say(_("The state was changed."))

    def _say_conflict(self, title, value):
        words = {
            "field": translate(title, target_language=_language()),
            "value": translate(value, target_language=_language()) or "–",
        }
        self._say(
            _(
                "Somebody else changed “${field}” to “${value}” in the meantime, so your change was not made. "
                "Look, and choose again.",
                mapping=words,
            ),
            "warning",
        )


class OtherFields(DefaultView):
    """``@@mailbridge-other-fields``: the fields that stand nowhere else on the page of the document and have a value."""

    def rows(self):
        """Return label and HTML of each."""
        widgets = [
            *self.widgets.values(),
            *(each for group in self.groups for each in group.widgets.values()),
        ]
        rows = [
            (widget.label, widget.render())
            for widget in widgets
            if widget.field.__name__ not in ELSEWHERE
            and not widget.field.__name__.startswith(OF_EMAIL)
            and widget.value not in (None, "", (), [])
        ]
        return [{"label": label, "html": html} for label, html in rows]
