"""`mmgt tables`: the paper's tables in kind, from one file: models, baselines and switches over seeds."""
