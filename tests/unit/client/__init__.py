"""What a person's side does without a cluster."""
