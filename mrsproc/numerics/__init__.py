"""Numerical tools: band-limited signals, HSVD, splines, least squares, covariances."""
