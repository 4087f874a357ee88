"""Images and features of one half, memory-mapped."""
