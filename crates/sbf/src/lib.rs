//! ballast-sbf
