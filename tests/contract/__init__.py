"""What every store must do. The suite runs once for each factory in `factories.py`."""
