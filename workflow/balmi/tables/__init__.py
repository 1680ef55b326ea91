"""The contract of the tables below ``results/<dataset>/``, told once in ``contract.yaml``."""
