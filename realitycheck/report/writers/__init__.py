"""Writers: the report as HTML, Markdown, LaTeX, CSV and JSON."""
