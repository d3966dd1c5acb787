"""What predictions are worth: one pass over a data set, and the numbers and curves that follow from it."""
