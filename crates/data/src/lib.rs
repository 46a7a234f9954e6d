//! From files to batches of images and labels
