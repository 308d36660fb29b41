"""The API reference and the guides, as pages that the hub serves below `/docs`.

Owns: the pages, which are made of the OpenAPI and AsyncAPI documents and of the Markdown files in `pages`. Never: an
operation of its own, a database, a cookie. `pages` holds links to the files of `docs`, so that a page has one text.
"""
