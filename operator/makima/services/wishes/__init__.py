"""What do people want changed? Each wish is judged, then written into `spec` as whoever asks."""
