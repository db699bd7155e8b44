"""Renders a message for people: as safe HTML that fetches nothing, and as PDF."""
