"""What the workflow's rules ask for: which methods run as which job, on which files and settings.

Nothing here reads `snakemake`: what depends on wildcards is a method that takes them, for Snakemake
to call.
"""
