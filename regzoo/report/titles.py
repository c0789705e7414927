"""Titles of the papers that the zoo's docstrings refer to by authors, year and link."""

from __future__ import annotations

TITLES = {
    "https://arxiv.org/abs/1211.5063": "On the difficulty of training recurrent neural networks",
    "https://arxiv.org/abs/1411.4280": "Efficient object localization using convolutional networks",
    "https://arxiv.org/abs/1412.6572": "Explaining and harnessing adversarial examples",
    "https://arxiv.org/abs/1502.03167": (
        "Batch normalization: accelerating deep network training by reducing internal covariate shift"
    ),
    "https://arxiv.org/abs/1506.02142": (
        "Dropout as a {Bayesian} approximation: representing model uncertainty in deep learning"
    ),
    "https://arxiv.org/abs/1511.06068": "Reducing overfitting in deep networks by decorrelating representations",
    "https://arxiv.org/abs/1511.06807": "Adding gradient noise improves learning for very deep networks",
    "https://arxiv.org/abs/1512.00567": "Rethinking the {Inception} architecture for computer vision",
    "https://arxiv.org/abs/1603.09382": "Deep networks with stochastic depth",
    "https://arxiv.org/abs/1605.00055": "{DisturbLabel}: regularizing {CNN} on the loss layer",
    "https://arxiv.org/abs/1607.00485": "Group sparse regularization for deep neural networks",
    "https://arxiv.org/abs/1607.06450": "Layer normalization",
    "https://arxiv.org/abs/1609.07093": "Neural photo editing with introspective adversarial networks",
    "https://arxiv.org/abs/1612.01474": "Simple and scalable predictive uncertainty estimation using deep ensembles",
    "https://arxiv.org/abs/1701.06548": "Regularizing neural networks by penalizing confident output distributions",
    "https://arxiv.org/abs/1704.00109": "Snapshot ensembles: train 1, get {M} for free",
    "https://arxiv.org/abs/1705.07832": "Concrete dropout",
    "https://arxiv.org/abs/1706.02515": "Self-normalizing neural networks",
    "https://arxiv.org/abs/1706.03762": "Attention is all you need",
    "https://arxiv.org/abs/1708.01009": "Revisiting activation regularization for language {RNNs}",
    "https://arxiv.org/abs/1708.02002": "Focal loss for dense object detection",
    "https://arxiv.org/abs/1708.04552": "Improved regularization of convolutional neural networks with cutout",
    "https://arxiv.org/abs/1710.02338": "Projection based weight normalization for deep neural networks",
    "https://arxiv.org/abs/1710.09412": "mixup: beyond empirical risk minimization",
    "https://arxiv.org/abs/1711.05101": "Decoupled weight decay regularization",
    "https://arxiv.org/abs/1802.01483": "Explicit inductive bias for transfer learning with convolutional networks",
    "https://arxiv.org/abs/1802.05957": "Spectral normalization for generative adversarial networks",
    "https://arxiv.org/abs/1803.05407": "Averaging weights leads to wider optima and better generalization",
    "https://arxiv.org/abs/1803.08494": "Group normalization",
    "https://arxiv.org/abs/1810.12890": "{DropBlock}: a regularization method for convolutional networks",
    "https://arxiv.org/abs/1905.04899": (
        "{CutMix}: regularization strategy to train strong classifiers with localizable features"
    ),
    "https://arxiv.org/abs/1907.08610": "Lookahead optimizer: k steps forward, 1 step back",
    "https://arxiv.org/abs/1908.02729": "Robust learning with {Jacobian} regularization",
    "https://arxiv.org/abs/2002.08709": "Do we need zero training loss after achieving zero training error?",
    "https://arxiv.org/abs/2010.01412": "Sharpness-aware minimization for efficiently improving generalization",
    "https://arxiv.org/abs/2106.11189": "Well-tuned simple nets excel on tabular datasets",
    "https://arxiv.org/abs/2106.14448": "{R-Drop}: regularized dropout for neural networks",
    "https://doi.org/10.1007/11503415_37": "Rank, trace-norm and max-norm",
    "https://doi.org/10.1007/3-540-49430-8_3": "Early stopping - but when?",
    "https://doi.org/10.1111/j.1467-9868.2005.00503.x": "Regularization and variable selection via the elastic net",
    "https://doi.org/10.1111/j.2517-6161.1996.tb02080.x": "Regression shrinkage and selection via the lasso",
    "https://doi.org/10.1137/0330046": "Acceleration of stochastic approximation by averaging",
    "https://doi.org/10.1162/neco.1995.7.1.108": "Training with noise is equivalent to {Tikhonov} regularization",
    "https://doi.org/10.1186/s40537-019-0197-0": "A survey on image data augmentation for deep learning",
    "https://jmlr.org/papers/v15/srivastava14a.html": (
        "Dropout: a simple way to prevent neural networks from overfitting"
    ),
    "https://papers.nips.cc/paper/1991/hash/8eefcfdf5990e441f0fb6f3fad709e21-Abstract.html": (
        "A simple weight decay can improve generalization"
    ),
    "https://papers.nips.cc/paper/2011/hash/7eb3c8be3d411e8ebfab08eba5f49632-Abstract.html": (
        "Practical variational inference for neural networks"
    ),
    "https://proceedings.mlr.press/v15/glorot11a.html": "Deep sparse rectifier neural networks",
    "https://proceedings.mlr.press/v28/wan13.html": "Regularization of neural networks using {DropConnect}",
    "https://proceedings.neurips.cc/paper/2020/hash/7d97667a3e056acab9aaf653807b4a03-Abstract.html": (
        "{VIME}: extending the success of self- and semi-supervised learning to tabular domain"
    ),
    "https://web.stanford.edu/class/cs294a/sparseAutoencoder_2011new.pdf": (
        "Sparse autoencoder ({CS294A} lecture notes)"
    ),
    "https://www.kaggle.com/c/porto-seguro-safe-driver-prediction/discussion/44629": (
        "1st place with representation learning ({Porto Seguro's} safe driver prediction)"
    ),
}
"""By link; braces keep capitals, as BibTeX wants them. A paper without one is cited all the same."""
