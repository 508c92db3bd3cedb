"""``python -m loihiconv``: the command line."""

from loihiconv.commands.app import main

if __name__ == "__main__":
    main()
