"""Read datasets from files, folders and lists, in the layout of their authors."""
