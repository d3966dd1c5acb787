"""The report on runs and studies: one HTML page, Markdown and CSV."""
