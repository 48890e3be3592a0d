"""tradehub: one hub on which companies negotiate and carry out trades."""
