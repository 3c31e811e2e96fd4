"""The day plan: appointments of one day by resource, live, moved by drag or by form (docs/reference/day-plan.md)."""
