"""What the API service, supervisors (ADR 6) and people (ADR 10) say to each other: JSON, a file per subject."""
