"""Which rules of accessibility a page breaks."""

from axe_playwright_python.sync_playwright import Axe

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


# What another colour scheme can break.
OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Nothing is made of what passes, which on a long page would take longer than to judge it.
FAILURES = {"resultTypes": ["violations"], "selectors": False}


def violations(page, options=WCAG):
    """Return the rules that fail on an open page, with the first elements that break each."""
    found = Axe().run(page, options=options | FAILURES).response["violations"]
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in found]
