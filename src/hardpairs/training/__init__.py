"""From images to a trained net; the one wing that imports Keras."""
