"""Peers from scikit-learn behind one interface."""
