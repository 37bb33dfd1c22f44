"""One file a page, each with one `page(setting)`."""
