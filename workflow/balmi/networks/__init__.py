"""How replicas of networks are built and trained; no method is known here."""
