"""`make bench`: makima against two twins that do the same work, on a sandbox of its own, in one table."""
