"""What do people read of contracts and supervisors, over REST?"""
