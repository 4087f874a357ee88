"""What is promised: protocols, studies and spaces."""
