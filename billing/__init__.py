"""Plans, subscriptions, and what was used, counted from the journal."""
