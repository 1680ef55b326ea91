"""The page of a prediction: new samples, and what a final model says of them."""
