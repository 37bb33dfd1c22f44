"""What a reader sees in words: the sentences of pages, by key, and how numbers are written."""
