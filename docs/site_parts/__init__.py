"""What the site needs beside sphinx, furo and myst."""
