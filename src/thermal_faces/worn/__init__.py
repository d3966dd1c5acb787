"""Hair, beards, glasses, clothes and what is held in front of the face."""
