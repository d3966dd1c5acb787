"""Pictures, tables and reports; what other rooms use of them (figures, tables) imports only data."""
