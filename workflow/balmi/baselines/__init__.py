"""Peers behind one interface."""
