//! ballast-risk
