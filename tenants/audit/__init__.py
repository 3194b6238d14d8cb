"""Who did what, when, with what before and after: append-only, beside the change it tells of."""
