"""What sections are made of: words, amounts, drawings and figures."""
