"""The training program: a recipe, a backbone and a task become a trained model and a record."""
