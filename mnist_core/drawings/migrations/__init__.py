"""How the database of drawings came to its present form: one module in `versions` for each step."""
