"""What is measured of finished models on the test half."""
