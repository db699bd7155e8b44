"""The e-mail domain: values and pure functions. No Zope, no Plone, no I/O but on the streams that are passed in."""
