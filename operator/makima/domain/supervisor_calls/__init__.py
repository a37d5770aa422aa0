"""What does a supervisor say, what is it told, and how does it come back?"""
