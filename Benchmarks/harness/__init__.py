"""Measures Cloakroom beside other ways of doing what it does."""
