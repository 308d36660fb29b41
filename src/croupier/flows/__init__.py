"""Layer 3: what the hub does, one file per thing. Only `advance` writes money; only `dispatcher` calls casinos."""
