/* SPDX-License-Identifier: Apache-2.0 - what all pages share: their head with the styles, and text that cannot be taken for markup. */
#ifndef ORD_JEPSEN_HTML_H
#define ORD_JEPSEN_HTML_H

#include <stdio.h>

#include "base/bytes.h"

/* Everything up to <body>; the page loads nothing from anywhere, and follows the reader's choice of light or dark. */
void ord_html_begin(FILE *out, const char *title);
void ord_html_end(FILE *out);

/* Text inside of an element or of an attribute in double quotes. Control bytes become U+FFFD. */
void ord_html_text(FILE *out, struct ord_slice text);

#endif
