"""Reading files, folders and lists as they are distributed."""
