"""Train a network: recipes, the loop, progressive learning, and runs that survive being killed."""
