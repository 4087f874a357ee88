"""`python -m realitycheck`."""

from realitycheck.cli import main

if __name__ == "__main__":
    main()
