"""What people look at: figures, texts, the page."""
