/* SPDX-License-Identifier: Apache-2.0 - ranks by Zipf's law, by rejection-inversion.
 *
 * Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", 1996: a point is thrown under the
 * curve x^-S, which is easy since its integral can be inverted, and rounded to a rank; it is thrown again when it lies in the part of the area by which
 * the curve's piece around the rank is larger than the rank's weight. Less than one in five is. */
#include "cli/zipf.h"

#include <math.h>
#include <stdbool.h>

#include "base/assert.h"

static double weight(const struct ord_zipf *z, double x)
{
	return exp(-z->exponent * log(x));
}

/* The integral of x^-S from 1 to x. expm1 keeps it exact where S is near 1, and x / 1 is its limit there. */
static double area(const struct ord_zipf *z, double x)
{
	double power = (1 - z->exponent) * log(x);
	return fabs(power) < 1e-12 ? log(x) : expm1(power) / (1 - z->exponent);
}

/* The x that area() gives this for. */
static double area_invert(const struct ord_zipf *z, double a)
{
	double share = a * (1 - z->exponent);
	if (share < -1)
		share = -1; /* by a rounding */
	return fabs(share) < 1e-12 ? exp(a) : exp(log1p(share) / (1 - z->exponent));
}

void ord_zipf_init(struct ord_zipf *z, uint32_t count, double exponent)
{
	ORD_ASSERT(count > 0);
	ORD_ASSERT(exponent > 0);
	*z = (struct ord_zipf){.count = count, .exponent = exponent};
	z->area_first = area(z, 1.5) - 1;
	z->area_last = area(z, (double)count + 0.5);
	z->sure = 2 - area_invert(z, area(z, 2.5) - weight(z, 2));
}

uint32_t ord_zipf_rank(const struct ord_zipf *z, struct ord_dice *d)
{
	for (;;) {
		double a = z->area_last + ord_dice_unit(d) * (z->area_first - z->area_last);
		double x = area_invert(z, a);
		double k = floor(x + 0.5);
		if (k < 1)
			k = 1;
		else if (!(k <= (double)z->count))
			k = z->count;
		if (k - x <= z->sure || a >= area(z, k + 0.5) - weight(z, k))
			return (uint32_t)k - 1;
	}
}
