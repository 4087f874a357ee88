"""`python -m realitycheck`."""

from realitycheck.cli.main import main

if __name__ == "__main__":
    main()
