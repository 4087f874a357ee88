"""Many runs: proposals, the one scheduler, the one loop."""
