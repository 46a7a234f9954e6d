//! Networks as data: layers, MLPs and ResNets with explicit forward and backward passes
