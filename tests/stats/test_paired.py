"""Paired comparison: verdicts by hand, from how many pairs Wilcoxon counts, and the rate of false differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from regzoo.stats import bootstrap
from regzoo.stats.corrected_t import compute_corrected_interval, compute_corrected_t
from regzoo.stats.intervals import compute_wilson_interval
from regzoo.stats.paired import Contrast, Evidence, PairSettings, adjust_holm, evaluate_pairs, make_contrasts
from regzoo.stats.rank_tests import compute_wilcoxon_p

RULES = PairSettings()


def only(gains: list[float], rules: PairSettings = RULES) -> Contrast:
    """Return one contrast, adjusted over no other."""
    return make_contrasts({("l2", "none"): np.array(gains)}, rules)["l2", "none"]


CLEAR = [0.10, 0.11, 0.09, 0.10, 0.12]
NOISE = [0.10, -0.11, 0.09, -0.10, 0.12]


def test_a_contrast_holds_the_results_of_its_tests() -> None:
    found = only(NOISE)
    assert (found.recipe, found.other, found.pairs) == ("l2", "none", 5)
    assert found.gain == pytest.approx(0.02)
    assert (found.gain_low, found.gain_high) == bootstrap.compute_bootstrap_interval(NOISE)
    assert found.p_holm == bootstrap.compute_bootstrap_p(NOISE)
    assert found.p_wilcoxon == compute_wilcoxon_p(np.array(NOISE))
    assert found.p_better == 0.6
    assert (found.p_better_low, found.p_better_high) == compute_wilson_interval(0.6, 5)


def test_verdicts() -> None:
    # CLEAR has the interval 0.104 +- 0.014 or so, NOISE one of more than 0.1 to both sides.
    assert only(CLEAR).verdict == "conclusive"
    assert only(NOISE).verdict == "inconclusive"
    assert only(CLEAR, PairSettings(rope=0.2)).verdict == "equivalent"
    assert only(CLEAR, PairSettings(rope=0.1)).verdict == "conclusive"
    assert only(NOISE, PairSettings(rope=0.01)).verdict == "inconclusive"
    assert only([0.0] * 5, PairSettings(rope=0.01)).verdict == "equivalent"
    assert only([0.0] * 5).verdict == "inconclusive"
    assert only([0.1]).verdict == "inconclusive"
    assert only([]).verdict is None


def test_only_inconclusive_contrasts_need_replicates() -> None:
    assert only(CLEAR).replicates_needed is None
    assert only(CLEAR, PairSettings(rope=0.2)).replicates_needed is None
    assert only(NOISE).replicates_needed is not None


def test_losses_are_mirrored_gains() -> None:
    gain, loss = only(NOISE), only([-x for x in NOISE])
    assert (loss.gain_low, loss.gain_high) == pytest.approx((-gain.gain_high, -gain.gain_low))
    assert (loss.p_better_low, loss.p_better_high) == pytest.approx((1 - gain.p_better_high, 1 - gain.p_better_low))
    for name in ("p_holm", "p_wilcoxon", "verdict", "replicates_needed"):
        assert getattr(loss, name) == pytest.approx(getattr(gain, name))


def test_wilcoxon_counts_from_seven_pairs_on() -> None:
    # Both times the mean is significant and Wilcoxon is not: 10 of 2^6 and 10 of 2^7 patterns of signs are as extreme.
    gains = [1.6, -0.1, 1.4, 1.5, -0.2, 3.4, 2.2]
    six, seven = only(gains[:6]), only(gains)
    assert (six.p_wilcoxon, seven.p_wilcoxon) == (10 / 2**6, 10 / 2**7)
    assert max(six.p_holm, seven.p_holm) < 0.05
    assert (six.verdict, seven.verdict) == ("conclusive", "inconclusive")


def test_among_36_tests_wilcoxon_counts_from_12_pairs_on() -> None:
    # As before, together with 35 comparisons without any difference.
    def among(pairs: int) -> Evidence:
        gains = np.linspace(8.9, 9.1, pairs)
        gains[:2] = -1e-6, -2e-6
        return evaluate_pairs([gains, *[np.zeros(pairs)] * 35], RULES)[0]

    eleven, twelve = among(11), among(12)
    assert (eleven.p_wilcoxon, twelve.p_wilcoxon) == (360 / 2**11, 360 / 2**12)
    assert max(eleven.p, twelve.p) < 0.05
    assert (eleven.significant, twelve.significant) == (True, False)


def test_wilcoxon_alone_is_not_enough() -> None:
    # All ten are positive, but one outlier makes the mean uncertain.
    found = only([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 9.0])
    assert found.p_wilcoxon == 2 / 2**10
    assert found.p_holm > 0.05
    assert found.verdict == "inconclusive"


def test_repeated_splits_are_judged_by_the_corrected_t_alone() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(1.0, size=50)
    found = only(x.tolist(), PairSettings(test_train_ratio=1 / 9))
    assert (found.gain_low, found.gain_high) == compute_corrected_interval(x, 1 / 9)
    assert found.p_holm == compute_corrected_t(x, 1 / 9)[1]
    assert math.isnan(found.p_wilcoxon)
    assert found.verdict == "conclusive"
    # 1 / (1/50 + 1/9) = 7.63 draws.
    assert (found.p_better_low, found.p_better_high) == pytest.approx(compute_wilson_interval(found.p_better, 450 / 59))


def test_holm_is_statsmodels_and_leaves_out_what_is_missing() -> None:
    p = [0.01, 0.04, 0.03, 0.005, 0.9]
    np.testing.assert_allclose(adjust_holm(p), multipletests(p, method="holm")[1])
    with_gap = adjust_holm([0.01, math.nan, 0.04])
    assert math.isnan(with_gap[1])
    assert [with_gap[0], with_gap[2]] == adjust_holm([0.01, 0.04])


def test_both_must_agree_because_outliers_fool_the_bootstrap() -> None:
    # One score in ten has six times the sd. 29 pairs, 800 comparisons of two equal recipes: the bootstrap alone
    # finds a difference in 8.8 %, both in 3.5 %; one standard error is 0.8 points around 5 %.
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(800, 2, 29)) * np.where(rng.random((800, 2, 29)) < 0.1, 6, 1)
    gains = scores[:, 0] - scores[:, 1]
    evidence = [evaluate_pairs([row], RULES)[0] for row in gains]
    alone = np.mean([found.p < 0.05 for found in evidence])
    both = np.mean([found.significant for found in evidence])
    assert alone > 0.05 + 2 * math.sqrt(0.05 * 0.95 / 800)
    assert both <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 800)


def test_both_must_agree_because_skewness_fools_wilcoxon() -> None:
    # Exponential gains around a mean of 0: Wilcoxon finds a difference in 15 % at 29 pairs; both together in less than
    # 5 %. 400 comparisons, one standard error 1.1 points.
    gains = np.random.default_rng(1).exponential(size=(400, 29)) - 1
    evidence = [evaluate_pairs([row], RULES)[0] for row in gains]
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert np.mean([found.p_wilcoxon < 0.05 for found in evidence]) > limit
    assert np.mean([found.significant for found in evidence]) <= limit
