"""Which words does the interface use? English msgids in the domain of this package."""

from zope.i18nmessageid import MessageFactory


_ = MessageFactory("imio.mailbridge")
