//! Pictures of training: curves, scatter plots, image grids and animations
