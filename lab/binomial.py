"""Whether a count is one that chance gives: the exact interval of a binomial distribution."""

import math


def interval(trials, probability, confidence=0.999):
    """(low, high): a binomial count lies inside with at least `confidence`."""
    tail = (1 - confidence) / 2
    logs = [math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
            + k * math.log(probability) + (trials - k) * math.log1p(-probability)
            for k in range(trials + 1)]
    low, mass = 0, 0.0
    while mass + math.exp(logs[low]) <= tail:
        mass += math.exp(logs[low])
        low += 1
    high, mass = trials, 0.0
    while mass + math.exp(logs[high]) <= tail:
        mass += math.exp(logs[high])
        high -= 1
    return low, high
