"""Title and place of each paper that the menu of losses names."""

from __future__ import annotations

PAPERS = {
    "Boudiaf et al., 2020": (
        "A Unifying Mutual Information View of Metric Learning: Cross-Entropy vs. Pairwise Losses",
        "ECCV",
    ),
    "Brown et al., 2020": ("Smooth-AP: Smoothing the Path Towards Large-Scale Image Retrieval", "ECCV"),
    "Cai et al., 2023": ("Center Contrastive Loss for Metric Learning", "arXiv"),
    "Cakir et al., 2019": ("Deep Metric Learning to Rank", "CVPR"),
    "Chen et al., 2020": ("A Simple Framework for Contrastive Learning of Visual Representations", "ICML"),
    "DeMoor and Prevost, 2024": ("Realigned Softmax Warping for Deep Metric Learning", "arXiv"),
    "Deng et al., 2019": ("ArcFace: Additive Angular Margin Loss for Deep Face Recognition", "CVPR"),
    "Hadsell et al., 2006": ("Dimensionality Reduction by Learning an Invariant Mapping", "CVPR"),
    "He et al., 2020": ("Momentum Contrast for Unsupervised Visual Representation Learning", "CVPR"),
    "Hermans et al., 2017": ("In Defense of the Triplet Loss for Person Re-Identification", "arXiv"),
    "Kan et al., 2022": ("Contrastive Bayesian Analysis for Deep Metric Learning", "IEEE TPAMI"),
    "Khosla et al., 2020": ("Supervised Contrastive Learning", "NeurIPS"),
    "Kim et al., 2020": ("Proxy Anchor Loss for Deep Metric Learning", "CVPR"),
    "Liao et al., 2023": (
        "Supervised Metric Learning to Rank for Retrieval via Contextual Similarity Optimization",
        "ICML",
    ),
    "Lim et al., 2022": ("Hypergraph-Induced Semantic Tuplet Loss for Deep Metric Learning", "CVPR"),
    "Liu et al., 2016": ("Large-Margin Softmax Loss for Convolutional Neural Networks", "ICML"),
    "Liu et al., 2017": ("SphereFace: Deep Hypersphere Embedding for Face Recognition", "CVPR"),
    "Liu et al., 2022": ("SphereFace Revived: Unifying Hyperspherical Face Recognition", "IEEE TPAMI"),
    "Meng et al., 2021": ("MagFace: A Universal Representation for Face Recognition and Quality Assessment", "CVPR"),
    "Movshovitz-Attias et al., 2017": ("No Fuss Distance Metric Learning Using Proxies", "ICCV"),
    "Patel et al., 2022": ("Recall@k Surrogate Loss with Large Batches and Similarity Mixup", "CVPR"),
    "Qian et al., 2019": ("SoftTriple Loss: Deep Metric Learning Without Triplet Sampling", "ICCV"),
    "Ramzi et al., 2021": ("Robust and Decomposable Average Precision for Image Retrieval", "NeurIPS"),
    "Ranjan et al., 2017": ("L2-constrained Softmax Loss for Discriminative Face Verification", "arXiv"),
    "Revaud et al., 2019": (
        "Learning with Average Precision: Training Image Retrieval with a Listwise Loss",
        "ICCV",
    ),
    "Rolínek et al., 2020": ("Optimizing Rank-based Metrics with Blackbox Differentiation", "CVPR"),
    "Schroff et al., 2015": ("FaceNet: A Unified Embedding for Face Recognition and Clustering", "CVPR"),
    "Seidenschwarz et al., 2021": ("Learning Intra-Batch Connections for Deep Metric Learning", "ICML"),
    "Sohn, 2016": ("Improved Deep Metric Learning with Multi-class N-pair Loss Objective", "NeurIPS"),
    "Song et al., 2016": ("Deep Metric Learning via Lifted Structured Feature Embedding", "CVPR"),
    "Sun et al., 2020": ("Circle Loss: A Unified Perspective of Pair Similarity Optimization", "CVPR"),
    "Teh et al., 2020": (
        "ProxyNCA++: Revisiting and Revitalizing Proxy Neighborhood Component Analysis",
        "ECCV",
    ),
    "Wang et al., 2017": ("NormFace: L2 Hypersphere Embedding for Face Verification", "ACM Multimedia"),
    "Wang et al., 2018": ("CosFace: Large Margin Cosine Loss for Deep Face Recognition", "CVPR"),
    "Wang et al., 2019": (
        "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning",
        "CVPR",
    ),
    "Wang et al., 2020": ("Cross-Batch Memory for Embedding Learning", "CVPR"),
    "Wu et al., 2017": ("Sampling Matters in Deep Embedding Learning", "ICCV"),
    "Yang et al., 2022": ("Hierarchical Proxy-based Loss for Deep Metric Learning", "WACV"),
    "Yang et al., 2023": ("Stop-Gradient Softmax Loss for Deep Metric Learning", "AAAI"),
    "Yuan et al., 2019": ("Signal-to-Noise Ratio: A Robust Distance Metric for Deep Metric Learning", "CVPR"),
    "Zhai and Wu, 2019": ("Classification is a Strong Baseline for Deep Metric Learning", "BMVC"),
    "Zhang et al., 2024": (
        "Threshold-Consistent Margin Loss for Open-World Deep Metric Learning",
        "ICLR",
    ),
    "Zhu et al., 2020": (
        "Fewer is More: A Deep Graph Metric Learning Perspective Using Fewer Proxies",
        "NeurIPS",
    ),
}
"""Reference, as a menu entry has it → title, and where it appeared."""
