"""Training, balancing rules and distillation of replica networks."""
