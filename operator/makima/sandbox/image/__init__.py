"""Writing container images with nothing but Python: start reading at `makima_image.py`."""
