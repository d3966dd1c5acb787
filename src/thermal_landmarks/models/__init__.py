"""Networks made of four parts: root, stem, branch and head."""
