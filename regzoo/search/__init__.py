"""Search for the strengths of a recipe with random search, a grid or KerasTuner; hypermodels for the user's own."""
