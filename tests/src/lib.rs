//! ballast-tests
