"""The configuration's models, the catalogue, and the hash by which Snakemake sees library edits.

`balmi.config` and `balmi.data.checks` are all that the Snakefile imports: neither torch nor scanpy.
Packages of balmi import nothing by themselves, so that the hash of a rule follows only the modules
that the rule really uses.
"""
