"""The migrations of the database of drawings, one module in `versions` for each."""
