"""What supervisors and the API service say to each other (ADR 6): JSON in snake_case, bounded, a file per subject."""
