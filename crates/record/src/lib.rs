//! The run on disk: configuration, events, metrics and checkpoints as atomic commits
