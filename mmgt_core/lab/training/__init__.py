"""Training: data from the presenter, the paper's losses and phases, and the demo model from scratch.

`loop` is the one training loop (budget, EMA, resume), `checkpointing` its files; `speech_data` and
`presenter_data` make the data; `smga`, `autoencoder`, `image` and `video` are the four phases; `demo_model`
runs them all.
"""
