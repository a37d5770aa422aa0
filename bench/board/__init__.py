"""A projection as large as the plan says, and what reads it: the API service, and the SQL that anybody would write."""
