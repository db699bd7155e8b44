"""Numbers in forms of settings: as one types them (2525, not 2 525), and sizes in megabytes, which are stored in bytes.

A megabyte is 1024 × 1024 bytes, as in the limits of mail servers. A size is shown with as few decimals as give its bytes back, so
that a form which is saved untouched changes none.
"""

from decimal import Decimal
from imio.mailbridge.i18n import _
from imio.mailbridge.interfaces import IMailbridgeLayer
from plone.app.z3cform.interfaces import ITextWidget
from plone.app.z3cform.widgets.text import TextWidget
from z3c.form.converter import BaseDataConverter
from z3c.form.converter import FormatterValidationError
from z3c.form.error import ErrorViewSnippet
from z3c.form.interfaces import IDataConverter
from z3c.form.interfaces import IFieldWidget
from z3c.form.widget import FieldWidget
from zope.component import adapter
from zope.i18n import translate
from zope.interface import implementer
from zope.interface import implementer_only
from zope.interface import Interface
from zope.schema.interfaces import IInt
from zope.schema.interfaces import OutOfBounds
import re


MEGABYTE = 1024**2
#: Enough to tell every byte.
MOST_DECIMALS = 7


class INumberWidget(ITextWidget):
    """A whole number."""


class ISizeWidget(INumberWidget):
    """A size in megabytes."""


@implementer_only(INumberWidget)
class NumberWidget(TextWidget):
    """See ``INumberWidget``."""


@implementer_only(ISizeWidget)
class SizeWidget(TextWidget):
    """See ``ISizeWidget``."""


@implementer(IFieldWidget)
def number(field, request):
    """Return the widget of a number."""
    return FieldWidget(field, NumberWidget(request))


@implementer(IFieldWidget)
def size(field, request):
    """Return the widget of a size in bytes."""
    widget = FieldWidget(field, SizeWidget(request))
    widget.label = _("${label} (MB)", mapping={"label": translate(field.title, context=request)})
    return widget


def written(number_of_bytes):
    """Return a size as the shortest number of megabytes that gives it back, with a point."""
    for decimals in range(MOST_DECIMALS + 1):
        text = f"{Decimal(number_of_bytes) / MEGABYTE:.{decimals}f}"
        if round(Decimal(text) * MEGABYTE) == number_of_bytes:
            break
    return text


@adapter(IInt, INumberWidget)
class NumberConverter(BaseDataConverter):
    """Between a whole number and its digits."""

    pattern = r"-?[0-9]{1,12}"
    problem = _("Enter a whole number.")

    def toWidgetValue(self, value):
        """Return the text of a number."""
        return "" if value is self.field.missing_value else self.write(value)

    def toFieldValue(self, value):
        """Return the number of a text; errors: ``FormatterValidationError``."""
        text = "".join((value or "").split())
        if not text:
            return self.field.missing_value
        if not re.fullmatch(self.pattern, text):
            raise FormatterValidationError(self.problem, value)
        return self.read(text)

    def write(self, value):
        """Return the text of a number that is there."""
        return str(value)

    def read(self, text):
        """Return the number of a text that fits ``pattern``."""
        return int(text)


@adapter(IInt, ISizeWidget)
class SizeConverter(NumberConverter):
    """Between bytes and megabytes."""

    pattern = r"-?[0-9]{1,9}(?:[.,][0-9]{0,9})?"
    problem = _("Enter a number of megabytes, for instance 25.")

    def write(self, value):
        """Return megabytes with the decimal sign of the reader."""
        sign = self.widget.request.locale.numbers.symbols["decimal"]
        return written(value).replace(".", sign)

    def read(self, text):
        """Return bytes."""
        return round(Decimal(text.replace(",", ".")) * MEGABYTE)


@adapter(OutOfBounds, IMailbridgeLayer, INumberWidget, IInt, Interface, Interface)
class RangeErrorView(ErrorViewSnippet):
    """Says which numbers are possible."""

    def createMessage(self):
        """Return the sentence, in the unit of the field."""
        text = IDataConverter(self.widget).toWidgetValue
        mapping = {"smallest": text(self.field.min), "largest": text(self.field.max)}
        return translate(
            _("Enter a number from ${smallest} to ${largest}.", mapping=mapping), context=self.request
        )
