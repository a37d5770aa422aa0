"""What do people want changed: of one contract, of many at once?"""
