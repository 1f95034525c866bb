"""The loaders, one file a format, each behind one function: ``load_x(source, stream, notes) -> Iterator[Document]``.

A document's text is the file as decoded where the format is text, byte order mark and line ends included, so that its
offsets hold in the file; else the text that the format holds, in reading order. A loader yields documents one by one,
and raises LoadError for a file that cannot be read at all. `dispatch` says which content has which loader.
"""
