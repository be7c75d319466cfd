"""What the pages share: layout and navigation, cached loaders, the board, the answer, charts."""
