"""The benchmark: a temporary hub, two load sides in processes of their own, and what one bet costs."""
