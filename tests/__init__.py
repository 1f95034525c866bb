"""Tests of Sourcier. As a package, its folder's parent, where the product lies, is on the import path."""
