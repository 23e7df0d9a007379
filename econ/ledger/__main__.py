"""``python -m econ.ledger`` prints every published figure beside ours."""

from econ.ledger.ledger import main

if __name__ == "__main__":
    main()
