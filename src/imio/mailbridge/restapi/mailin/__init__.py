"""``@mail-in`` and ``@@mail-in``: messages that arrive."""
