"""The registry of conclusions: what follows from numbers, in words, and nowhere else.

A module per question. Each turns its numbers into a case, and has one table with the sentences of
every case, short and in full, so that no two places of a page can say different things.
"""
