"""One's own photo: prepared as the training images were, and predicted without Keras."""
