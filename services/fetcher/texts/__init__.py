"""Full texts: from arXiv's HTML or PDF to sections in the object store."""
