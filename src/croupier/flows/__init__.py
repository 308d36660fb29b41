"""Layer 3: the operations of the hub, one per file. Only `advance` writes money; only `dispatcher` calls casinos."""
