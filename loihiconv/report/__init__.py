"""The report of a comparison or a sweep: one HTML page that needs nothing else, Markdown, plots. It shows results and computes none."""
