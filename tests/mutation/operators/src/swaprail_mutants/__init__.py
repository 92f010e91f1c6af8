"""What cosmic-ray is taught for this project: to mutate SQL, and which mutants say nothing."""
