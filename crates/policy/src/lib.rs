//! Pure state machines that decide about a training run: early stopping, LR schedules
