"""Interfaces that content types (iA.docs, or another product) implement for the bridge."""
