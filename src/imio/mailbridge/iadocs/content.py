"""Classes of the content types: titles that are made of other fields, and files that know their size."""

from Acquisition import aq_base
from Acquisition import aq_parent
from plone.app.contenttypes.content import Folder
from plone.dexterity.content import Container
from plone.dexterity.content import Item


class Document(Container):
    """An incoming e-mail or an outgoing mail, with its files."""


class Directory(Folder):
    """A folder of contacts, listed page by page."""


class Organization(Container):
    """An organization, with the services below it."""


class Person(Container):
    """A person, with the positions held; the title is the name."""

    @property
    def title(self):
        """Return first name and last name."""
        return " ".join(filter(None, (self.firstname, self.lastname)))

    @title.setter
    def title(self, value):
        """Ignore a title that is set: it would be lost at the next change of the name."""


class HeldPosition(Item):
    """A position of a person in an organization."""

    @property
    def title(self):
        """Return function and organization, for instance ``Secrétaire, Urbanisme``."""
        organization = self.position and not self.position.isBroken() and self.position.to_object
        return ", ".join(filter(None, (self.label, organization and organization.Title())))

    @title.setter
    def title(self, value):
        """Ignore a title that is set, as for a person."""

    def Title(self):
        """Return the title after the name of the person (only a method sees where the item stands)."""
        person = aq_parent(self)
        name = person.Title() if isinstance(aq_base(person), Person) else ""
        return ", ".join(filter(None, (name, self.title)))


class DmsFile(Item):
    """A file of a document; without a title it is called like the file."""

    def Title(self):
        """Return the title, or the name of the file without one."""
        return self.title or getattr(self.file, "filename", None) or ""

    def get_size(self):
        """Return the size in bytes."""
        return self.file.getSize() if self.file else 0

    def content_type(self):
        """Return the media type."""
        return self.file.contentType if self.file else None
