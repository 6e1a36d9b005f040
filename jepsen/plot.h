/* SPDX-License-Identifier: Apache-2.0 - latency and rate over time as SVG, the times of faults shaded; drawn by gnuplot. */
#ifndef ORD_JEPSEN_PLOT_H
#define ORD_JEPSEN_PLOT_H

#include "jepsen/storm.h"

#define ORD_PLOT_POINTS_MAX 40000 /* of latency: beyond that every second one, every third one ... */

/* Writes dir/latency.svg and dir/rate.svg. ORD_ERR_NOT_FOUND: there is no gnuplot, nothing was drawn; ORD_ERR_IO: it failed; with why. */
int ord_plot_write(const char *dir, const char *title, const struct ord_jepsen_history *h,
		   const struct ord_storm *storm, char *why, size_t why_size);

#endif
