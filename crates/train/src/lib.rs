//! The training loop: model and data in, record out
