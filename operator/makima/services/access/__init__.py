"""Who calls the API service, and what may they know of and do?"""
