"""What agent programs print, a file per program: pure, a line of bytes in, events out."""
