"""What becomes of a contract? The flow `kubectl apply → policies → handler → decide → one status write → history`."""
