//! Small neural nets on the autograd tape: layers, initialisers, losses, optimisers, data and training.
