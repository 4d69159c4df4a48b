"""What the black-box tests share; the README of tests/blackbox says how."""
