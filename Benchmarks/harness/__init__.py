"""Compares Cloakroom's performance with that of other products for the same tasks."""
