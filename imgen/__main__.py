"""``python -m imgen``, which is what torchrun starts."""

from imgen.cli.main import main

if __name__ == "__main__":
    main()
