"""The table of rules in the control panel: folded, and compared with what the page of rules has done meanwhile."""

from collective.z3cform.datagridfield.blockdatagridfield import BlockDataGridFieldWidget
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import rules
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.server import filled_in
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form.interfaces import IFieldWidget
from z3c.form.widget import FieldWidget
from zope.interface import implementer


CHANGED = _(
    "The rules were changed on another page after this one was opened, so nothing was saved: this table would take the changes "
    "back. Copy what you entered here, then open this page again."
)


class FoldedGrid(BlockDataGridFieldWidget):
    """The rows between ``details``, which are open where something is wrong in them."""

    folded = ViewPageTemplateFile("templates/folded_grid.pt")

    def render(self):
        """Return the folded table."""
        return self.folded()

    @property
    def grid(self):
        """Return the table itself."""
        return super().render()

    @property
    def count(self):
        """Return how many rules there are."""
        return len(stored_settings().iemail_routing or ())

    @property
    def seen(self):
        """Return the digest of the rules as they were when the page was opened."""
        sent = self.request.form.get(f"{self.name}.seen")
        return sent if isinstance(sent, str) else rules.digest()

    def rows_to_keep(self, entered):
        """Return the rows to store: those that were entered or, where these were left alone, those of now; or None for neither."""
        if self.seen == rules.digest():
            return entered
        rows = [RoutingRow(**filled_in(row, RoutingRow.__dataclass_fields__)) for row in entered or ()]
        return stored_settings().iemail_routing or [] if self.seen == rules.digest(rows) else None


@implementer(IFieldWidget)
def folded_grid(field, request):
    """Return the widget of a field."""
    return FieldWidget(field, FoldedGrid(request))
