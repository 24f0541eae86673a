"""History from another product: read from files, checked, and handed to the services that keep it.

`formats` turns a file into rows and errors by line, without any I/O. `importer` sends rows to `program`, `content` and
`sharing`, as a preview or for good. The hub's page and `herald history import` both use them.
"""
