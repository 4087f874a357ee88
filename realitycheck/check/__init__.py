"""What is wrong with a study before it runs."""
