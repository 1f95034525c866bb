"""The page: how answers, sources and outcomes are shown; it decides nothing about retrieval."""
