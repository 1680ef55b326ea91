"""What every teacher gives to every student, beside what was predicted."""
