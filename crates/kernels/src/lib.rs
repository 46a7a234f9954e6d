//! Fast CPU kernels for convolutional networks in NHWC, chosen at run time
