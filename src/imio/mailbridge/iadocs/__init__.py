"""iA.docs: its types, fields and folders, and how they answer the ports of sending and filing."""
