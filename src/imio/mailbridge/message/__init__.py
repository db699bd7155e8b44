"""The e-mail domain: values and pure functions, no Zope, no Plone, no I/O but the streams given."""
