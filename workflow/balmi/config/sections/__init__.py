"""The sections of the configuration: their keys, types, defaults and meanings.

`balmi.config.settings` puts them together, and is where the library imports them from.
"""
