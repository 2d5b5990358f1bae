"""What the product is measured against, so that a claim is a figure."""
