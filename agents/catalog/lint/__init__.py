"""Finds what callers will stumble over on a menu, each with a way to mend it (docs/reference/menu-linter.md)."""

from .finding import Finding, Fix, Rule, Severity

__all__ = ["Finding", "Fix", "Rule", "Severity"]
