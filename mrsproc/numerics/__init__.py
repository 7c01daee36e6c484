"""Numerical tools that know nothing of spectroscopy: sums of exponentials on a grid, splines, covariances."""
