/* SPDX-License-Identifier: Apache-2.0 - private networks: their texts, and that one that is in use is neither taken nor allowed. */
#include "cli/subnet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static char why[512];

Test(cli_subnet, text_goes_both_ways)
{
	static const char *const bad[] = {"10.64.0.1",	  "10.63.255.0", "10.128.0.0", "192.168.0.0",
					  "10.64.0.0/24", "10.64.0",	 "",	       "10.064.0.0x"};
	char text[ORD_SUBNET_TEXT_SIZE];
	uint32_t network;
	cr_assert_eq(ord_subnet_parse("10.127.255.0", &network), ORD_OK);
	cr_assert_eq(network, ORD_SUBNET_FIRST + ((ORD_SUBNET_COUNT - 1) << 8));
	ord_subnet_host(network, ORD_SUBNET_GATE, text);
	cr_assert_str_eq(text, "10.127.255.254");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_eq(ord_subnet_parse(bad[i], &network), ORD_ERR_FORMAT, "%s", bad[i]);
}

Test(cli_subnet, one_that_is_chosen_is_free_and_follows_from_the_id)
{
	struct ord_uuid id = {.bytes = {[14] = 0x12, [15] = 0x34}};
	uint32_t first, again, next;
	cr_assert_eq(ord_subnet_choose(&id, &first, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(ord_subnet_choose(&id, &again, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_eq(first, again);
	cr_assert_eq(ord_subnet_check(first, why, sizeof why), ORD_OK, "%s", why);
	id.bytes[15]++;
	cr_assert_eq(ord_subnet_choose(&id, &next, why, sizeof why), ORD_OK, "%s", why);
	cr_assert_neq(first, next);
}

/* The network of a route of this machine, cut to 24 bits; 0 when it has none but the default one. */
static uint32_t network_in_use(void)
{
	char line[256];
	uint32_t destination, mask, found = 0;
	FILE *in = fopen("/proc/net/route", "r");
	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		if (sscanf(line, "%*s %x %*x %*x %*d %*d %*d %x", &destination, &mask) == 2 && mask != 0)
			found = __builtin_bswap32(destination) & 0xffffff00u;
	}
	if (in != NULL)
		fclose(in);
	return found;
}

Test(cli_subnet, one_in_use_is_told_with_its_link)
{
	uint32_t network = network_in_use();
	if (network == 0)
		cr_skip_test("this machine has no network of its own");
	cr_assert_eq(ord_subnet_check(network, why, sizeof why), ORD_ERR_IN_USE);
	cr_assert_not_null(strstr(why, "is in use on this machine, by the link "), "%s", why);
}
