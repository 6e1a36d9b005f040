/* SPDX-License-Identifier: Apache-2.0 - what all pages share: their head with the styles, and text that cannot be taken for markup. */
#include "jepsen/html.h"

static const char styles[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--soft:#57606a;--line:#d0d7de;--row:#f6f8fa;"
	"--ok:#1a7f37;--bad:#cf222e;--maybe:#9a6700;--okbox:#c9ecd0;--failbox:#f6d5d7;--infobox:#fbe7b2;--fault:#"
	"cf222e18}"
	"@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;--line:#30363d;--row:#161b22;"
	"--ok:#3fb950;--bad:#f85149;--maybe:#d29922;--okbox:#12391d;--failbox:#4d1a1d;--infobox:#4a3708;--fault:#"
	"f851492b}}"
	"body{background:var(--bg);color:var(--fg);font:14px/1.45 system-ui,sans-serif;margin:1.5rem}"
	"h1{font-size:1.3rem}a{color:inherit}"
	"table{border-collapse:collapse}th,td{text-align:left;padding:.3rem .8rem;border-bottom:1px solid var(--line)}"
	"th{color:var(--soft);font-weight:600}td{white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:"
	"tabular-nums}"
	"tbody tr:hover{background:var(--row)}"
	".valid{color:var(--ok)}.invalid{color:var(--bad);font-weight:600}.unknown{color:var(--maybe)}"
	".soft{color:var(--soft)}"
	".line{position:relative;font:11px/14px ui-monospace,monospace}"
	".line "
	"div{position:absolute;box-sizing:border-box;overflow:hidden;white-space:nowrap;border-radius:3px;padding:0 "
	"3px}"
	".line .ok{background:var(--okbox)}.line .fail{background:var(--failbox)}.line .info{background:var(--infobox)}"
	".line .fault{background:var(--fault);border-radius:0;left:0;z-index:0;color:var(--bad);border-top:1px solid "
	"var(--bad)}"
	".line .head{color:var(--soft);font-weight:600}";

void ord_html_begin(FILE *out, const char *title)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
	      out);
	ord_html_text(out, ord_slice_text(title));
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", styles);
	ord_html_text(out, ord_slice_text(title));
	fputs("</h1>\n", out);
}

void ord_html_end(FILE *out)
{
	fputs("</body>\n</html>\n", out);
}

void ord_html_text(FILE *out, struct ord_slice text)
{
	const char *p = text.base;
	for (size_t i = 0; i < text.len; i++) {
		switch (p[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\n':
			fputc('\n', out);
			break;
		default:
			if ((unsigned char)p[i] < 0x20 || p[i] == 0x7F)
				fputs("\xEF\xBF\xBD", out);
			else
				fputc(p[i], out);
		}
	}
}
