"""What does a supervisor say beside its heartbeats, and what is it told?"""
