"""Whether new measurements are in the unit of those that were trained on, by robust statistics.

Of every feature, the median and the robust deviation of the training samples are known, on the
scale on which differences add up. A change of unit or of normalisation moves most features at
once: counts in the place of logarithms, fractions in that of logits, another base of the logarithm,
values that were standardised. A difference between cohorts moves them by less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TO_DEVIATION = 1.4826
SMALLEST_SHARE = 1e-3  # of the typical deviation, below which a feature's own is not believed
WHOLE = 0.95  # share of whole numbers from which values are counts
FAR, FURTHER = 1.5, 3.0  # deviations by which the typical feature lies elsewhere: said, refused
WIDE, WIDER = 3.0, 30.0  # times the usual spread, or its inverse: said, refused
FEWEST_FEATURES = 5
FEWEST_SPREAD = 5  # samples from which a spread is compared
MOST_VARY = 0.5  # share of features that vary in most samples, from which it is
LARGEST_FRACTION = 1.0
MANY_NEGATIVE, FEWEST_VALUES = 0.1, 100  # share of values below 0, where others have none
ALIKE = 0.8  # correlation of profiles, from which a slope can be told
STEEP = 1.25  # slope that is another base of the logarithm, or its inverse
CLOSELY_ALIKE = 0.95  # correlation from which a slope is believed where levels are near
LEVELS = 2.0  # deviations over which levels of features must range for it
AGREE = 1.2  # ratio of slope and spread, at most, that one change of scale explains
MOST = 0.95  # share of features that are standardised alike
EXACT = 0.02  # distance of their means from 0 and of their deviations from 1
ABOUT = 0.5  # distance of medians from 0, and of deviations from 1, of training samples that were


@dataclass(frozen=True)
class Usual:
    """How training samples of a modality are measured.

    Parameters
    ----------
    medians, deviations
        Of the kept features, transformed; (kept,).
    varies
        Which of them have another value than their median in more than half of the samples: of
        others, as of counts that are mostly 0, a spread says nothing; (kept,), bool.
    lowest, highest
        Smallest and largest value, as in the file.
    whole, negative
        Share of whole numbers, and of numbers below 0, among the values.
    typical
        Median over features of the distance of single training samples from the medians, in
        deviations, at its 95th percentile over samples.
    """

    medians: np.ndarray
    deviations: np.ndarray
    varies: np.ndarray
    lowest: float
    highest: float
    whole: float
    negative: float
    typical: float

    @classmethod
    def of(cls, raw: np.ndarray, transformed: np.ndarray) -> Usual:
        """Learn from training samples that have the modality; (m, kept) each, NaN where empty."""
        medians = _median(transformed)
        deviations = TO_DEVIATION * _median(np.abs(transformed - medians))
        varies = deviations > 0
        deviations = np.where(varies, deviations, np.nan_to_num(np.nanstd(transformed, axis=0)))
        floor = SMALLEST_SHARE * max(float(np.median(deviations)), 1e-9) if len(deviations) else 1
        deviations = np.maximum(deviations, floor)
        known = raw[~np.isnan(raw)]
        distances = _median(np.abs(transformed - medians) / deviations, axis=1)
        typical = float(np.quantile(distances, 0.95)) if len(distances) else 1.0
        ends = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        shares = _share_whole(known), _share_negative(known)
        return cls(medians, deviations, varies, *ends, *shares, typical)


@dataclass(frozen=True)
class Seen:
    """What was seen of a modality's unit.

    Parameters
    ----------
    found
        What was seen, in words; None where nothing is odd.
    advice
        What to do.
    severe
        Whether it is refused.
    shift
        Median over features of the distance of the new medians, in deviations.
    spread
        Median over features of the new deviation over that of training; None of few samples.
    """

    found: str | None
    advice: str
    severe: bool
    shift: float
    spread: float | None


def _median(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return medians of what is known, 0 where nothing is."""
    if not np.isnan(values).any():
        return np.median(values, axis=axis)  # the same, and many times as fast
    none = np.isnan(values).all(axis=axis, keepdims=True)
    return np.nanmedian(np.where(none, 0, values), axis=axis)


def _share_whole(values: np.ndarray) -> float:
    return float((values == np.rint(values)).mean()) if values.size else 0.0


def _share_negative(values: np.ndarray) -> float:
    return float((values < 0).mean()) if values.size else 0.0


def look(usual: Usual, raw: np.ndarray, transformed: np.ndarray, found: np.ndarray) -> Seen:
    """Compare new samples that have a modality with the training samples.

    Parameters
    ----------
    usual
        How training samples are measured.
    raw, transformed
        Kept features as in the file, and transformed; (n, kept), NaN where empty or missing.
    found
        Which of the features the file has; (kept,), bool.
    """
    if found.sum() < FEWEST_FEATURES:
        return Seen(None, "", False, 0.0, None)
    raw, transformed = raw[:, found], transformed[:, found]
    medians, deviations = usual.medians[found], usual.deviations[found]
    here = _median(transformed)
    shift = float(np.median(np.abs(here - medians) / deviations))
    spread = None
    own = TO_DEVIATION * _median(np.abs(transformed - here))
    # Of values that are rounded by more than they vary, most are one: that tells of no unit.
    varies = usual.varies[found] & (own > 0)
    if len(transformed) >= FEWEST_SPREAD and varies.mean() >= MOST_VARY:
        spread = float(np.median((own / deviations)[varies]))
    found_, advice, severe = _word(usual, raw[~np.isnan(raw)], here, medians, shift, spread)
    if found_ is None and spread is not None:
        found_, advice = (
            _scaled(here, medians, deviations, spread)
            or _standardised(raw, medians, deviations)
            or (None, "")
        )
    return Seen(found_, advice, severe, shift, spread)


def _scaled(
    here: np.ndarray, medians: np.ndarray, deviations: np.ndarray, spread: float
) -> tuple[str, str] | None:
    """Return what is odd where levels and spreads are both as many times those of training.

    Another cohort differs in either of them, hardly in both by the same factor.
    """
    if not np.ptp(here) or np.ptp(np.quantile(medians, [0.1, 0.9])) < LEVELS * np.median(
        deviations
    ):
        return None
    slope = float(np.polyfit(medians, here, 1)[0])
    alike = np.corrcoef(here, medians)[0, 1] > CLOSELY_ALIKE
    if not alike or 1 / STEEP < slope < STEEP or not 1 / AGREE < slope / spread < AGREE:
        return None
    told = f"levels of features are {slope:.2g} times, and their spreads {spread:.2g} times, those"
    return f"{told} of training", _advice(here, medians)


def _standardised(
    raw: np.ndarray, medians: np.ndarray, deviations: np.ndarray
) -> tuple[str, str] | None:
    """Return what is odd where every feature was standardised and training looks otherwise.

    Of skewed features medians and robust deviations differ from 0 and 1 though they were, too.
    """
    known = ~np.isnan(raw).all(axis=0)
    means, own = np.nanmean(raw[:, known], axis=0), np.nanstd(raw[:, known], axis=0)
    larger = np.sqrt(len(raw) / (len(raw) - 1))
    one = np.minimum(np.abs(own - 1), np.abs(larger * own - 1))
    new = (np.abs(means) < EXACT) & (one < EXACT)
    old = (np.abs(medians) < ABOUT) & (np.abs(deviations - 1) < ABOUT)
    if new.mean() < MOST or old.mean() >= MOST:
        return None
    return (
        f"{new.mean():.0%} of the features have mean 0 and deviation 1 among the new samples",
        "values as before they were standardised, unless those of the training samples, whose"
        " medians and spreads are others, were standardised in the same way",
    )


def _word(
    usual: Usual,
    known: np.ndarray,
    here: np.ndarray,
    medians: np.ndarray,
    shift: float,
    spread: float | None,
) -> tuple[str | None, str, bool]:
    """Return what is odd, what to do, and whether it is refused."""
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    trained = f"training samples range from {usual.lowest:.3g} to {usual.highest:.3g}"
    counts = _share_whole(known) >= WHOLE and usual.whole < WHOLE and high > usual.highest
    if counts and low >= 0:
        return (
            f"whole numbers up to {high:,.0f}, as counts are, where the model was trained on"
            f" others ({trained})",
            "the same normalisation and logarithm as for the training samples",
            True,
        )
    fractions = low >= 0 and high <= LARGEST_FRACTION
    beyond = usual.lowest < -LARGEST_FRACTION or usual.highest > 2 * LARGEST_FRACTION
    if fractions and beyond and shift > usual.typical:
        return (
            f"fractions from {low:.3g} to {high:.3g}, as beta values are, where {trained}, as"
            " M-values or logarithms do",
            "the same unit: M = log2(beta / (1 - beta))",
            True,
        )
    signs = usual.negative, _share_negative(known)
    # A single sample may have no loss of any gene.
    if (
        spread is not None
        and known.size >= FEWEST_VALUES
        and min(signs) == 0
        and max(signs) > MANY_NEGATIVE
    ):
        return (
            f"{signs[1]:.0%} of the values are below 0, and {signs[0]:.0%} of those of training"
            f" samples (values from {low:.3g} to {high:.3g}; {trained})",
            "the same unit: one of both is perhaps not logged, or was centred or standardised",
            True,
        )
    far, further = max(FAR, 1.5 * usual.typical), max(FURTHER, 3 * usual.typical)
    wide = spread is not None and not 1 / WIDE < spread < WIDE
    wider = spread is not None and not 1 / WIDER < spread < WIDER
    if shift <= far and not wide:
        return None, "", False
    told = f"the typical feature lies {shift:.1f} deviations from its training median"
    if spread is not None:
        told += f", and varies {spread:.2g} times as much"
    told += f" (values from {low:.3g} to {high:.3g}; {trained})"
    return told, _advice(here, medians), bool(shift > further or wider)


def _advice(here: np.ndarray, medians: np.ndarray) -> str:
    """Return what may have happened, from the profiles of medians."""
    if np.ptp(medians) and np.ptp(here):
        slope, level = np.polyfit(medians, here, 1)
        alike = np.corrcoef(here, medians)[0, 1] > ALIKE
        steep = slope > STEEP or slope < 1 / STEEP
        if alike and steep:
            return (
                f"values are about {slope:.2g} times those of training: see that both are"
                " logarithms, or neither, and of the same base (log2 is 1.44 times ln and 3.32"
                " times log10)"
            )
        if alike:
            return (
                f"values lie about {level:+.2g} from those of training: see that both were"
                " normalised alike"
            )
    return (
        "features differ from each other in another way than in training: see that both were"
        " normalised alike, and that neither was standardised feature by feature"
    )
