"""`python -m makima`, and the console script `makima`."""

from makima.cli.main import main

if __name__ == "__main__":
    main()
