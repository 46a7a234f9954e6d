//! Train image classifiers that neither under- nor overfit, and prove which technique did it
