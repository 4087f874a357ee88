"""Rules on the files of a study alone: they import no class that the study names."""
