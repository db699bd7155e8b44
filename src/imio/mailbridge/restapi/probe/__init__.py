"""``/@@mailbridge-health``, ``/@@mailbridge-ready``: what a balancer asks an instance, at the root of Zope."""
