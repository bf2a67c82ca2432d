//! ballast-sim
