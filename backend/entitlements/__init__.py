"""What somebody is entitled to by a decision of its own: chronic diseases, capitation agreements."""
