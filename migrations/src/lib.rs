//! ballast-migrations
