"""What happens now, and who gets which event?"""
