"""The methods trained again on a share of the training samples."""
