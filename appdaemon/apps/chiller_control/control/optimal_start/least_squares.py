"""Recursive least squares that a bad day cannot throw off.

A building changes, so old days are forgotten; forgetting lets the covariance grow
where nothing new is seen (a summer without a cold day), so it is capped; and one
odd day moves the coefficients by no more than a clipped residual does.
"""

from collections.abc import Sequence


class RecursiveLeastSquares:
    """Coefficients of a linear model."""

    def __init__(
        self,
        first: Sequence[float],
        *,
        doubt: Sequence[float],
        forgetting: float = 0.95,
        clip: float = 60.0,
    ) -> None:
        """Take first coefficients and how far off each of them may well be.

        `clip` is the largest residual that is learnt from, in units of the answer;
        the doubt never grows beyond four times what it was.
        """
        self.coefficients = list(first)
        self._forgetting = forgetting
        self._clip = clip
        size = len(self.coefficients)
        self._most = [16.0 * part * part for part in doubt]
        self._covariance = [
            [doubt[row] ** 2 if row == column else 0.0 for column in range(size)]
            for row in range(size)
        ]

    def answer(self, features: Sequence[float]) -> float:
        """Return what the model says."""
        return sum(
            one * other for one, other in zip(self.coefficients, features, strict=True)
        )

    def learn(self, features: Sequence[float], observed: float, noise: float) -> None:
        """Take one observation; `noise` is how far off one usually is."""
        covariance = self._covariance
        size = len(self.coefficients)
        spread = [
            sum(covariance[row][column] * features[column] for column in range(size))
            for row in range(size)
        ]
        total = noise * noise * self._forgetting + sum(
            one * other for one, other in zip(features, spread, strict=True)
        )
        gain = [part / total for part in spread]
        residual = observed - self.answer(features)
        residual = max(-self._clip, min(self._clip, residual))
        for row in range(size):
            self.coefficients[row] += gain[row] * residual
        for row in range(size):
            for column in range(size):
                covariance[row][column] = (
                    covariance[row][column] - gain[row] * spread[column]
                ) / self._forgetting
        self._cap()

    def _cap(self) -> None:
        """Shrink rows and columns alike, so that it stays a covariance."""
        covariance = self._covariance
        for index, most in enumerate(self._most):
            variance = covariance[index][index]
            if variance > most:
                part = (most / variance) ** 0.5
                for other in range(len(self._most)):
                    covariance[index][other] *= part
                    covariance[other][index] *= part
