/* SPDX-License-Identifier: Apache-2.0 - the client's laboratory. */
#include "tests/support/client_lab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "client/routing.h"

uint64_t lab_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

void lab_open(struct lab *lab, uint32_t nodes_count, uint32_t addresses_count, const struct ordain_options *options)
{
	struct ordain_options o = {0};
	if (options != NULL)
		o = *options;
	*lab = (struct lab){0};
	cr_assert_eq(uv_loop_init(&lab->loop), 0);
	fake_open(&lab->fake, &lab->loop, nodes_count);
	o.addresses = fake_addresses(&lab->fake, addresses_count);
	cr_assert_eq(ordain_open(&lab->loop, &o, &lab->client), 0);
}

static void lab_closed(void *arg)
{
	struct lab *lab = arg;
	cr_assert_not(lab->closed);
	lab->closed = true;
}

void lab_close(struct lab *lab)
{
	if (lab->client != NULL)
		ordain_close(lab->client, lab_closed, lab);
	fake_close(&lab->fake);
	uv_run(&lab->loop, UV_RUN_DEFAULT);
	cr_assert(lab->client == NULL || lab->closed);
	cr_assert_eq(uv_loop_close(&lab->loop), 0);
}

static void alarm_cb(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Turns the loop until the counter is there (true) or the time is over. */
static bool turn_until(struct lab *lab, const uint32_t *counter, uint32_t target, uint64_t limit_ms)
{
	uv_timer_t timer;
	bool over = false;
	uv_timer_init(&lab->loop, &timer);
	timer.data = &over;
	uv_update_time(&lab->loop);
	uv_timer_start(&timer, alarm_cb, limit_ms, 0);
	while (!over && (counter == NULL || *counter < target))
		uv_run(&lab->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&lab->loop, UV_RUN_NOWAIT);
	return counter != NULL && *counter >= target;
}

void lab_until(struct lab *lab, const uint32_t *counter, uint32_t target, uint64_t limit_ms)
{
	cr_assert(turn_until(lab, counter, target, limit_ms), "%u of %u after %u ms", (unsigned)*counter,
		  (unsigned)target, (unsigned)limit_ms);
}

void lab_spend(struct lab *lab, uint64_t ms)
{
	turn_until(lab, NULL, 0, ms);
}

static char *copied(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

static void submit_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct lab_submit *s = arg;
	s->calls_count++;
	s->count = count;
	s->results = malloc(count * sizeof *results);
	memcpy(s->results, results, count * sizeof *results);
	for (size_t i = 0; i < count; i++) {
		s->results[i].name = copied(results[i].name);
		s->results[i].message = copied(results[i].message);
		s->results[i].field = copied(results[i].field);
	}
}

void lab_submit(struct lab *lab, const struct ordain_command *commands, size_t count,
		const struct ordain_call_options *call, struct lab_submit *s)
{
	*s = (struct lab_submit){0};
	cr_assert_eq(ordain_submit(lab->client, commands, count, call, submit_cb, s), 0);
	cr_assert_eq(s->calls_count, 0, "the callback came from inside submit");
}

void lab_submit_free(struct lab_submit *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free((void *)s->results[i].name);
		free((void *)s->results[i].message);
		free((void *)s->results[i].field);
	}
	free(s->results);
	s->results = NULL;
	s->count = 0;
}

struct ordain_command lab_transfer(int64_t amount)
{
	struct ordain_command c = {.kind = ORDAIN_TRANSFER};
	cr_assert_eq(ordain_id_make(&c.id), 0);
	c.transfer = (struct ordain_transfer){.payer = ordain_str_of("alice"),
					      .payee = ordain_str_of("bob"),
					      .asset = ordain_str_of("EUR"),
					      .amount = amount};
	return c;
}

struct ordain_command lab_transfer_in(uint32_t partition)
{
	struct ordain_command c;
	do
		c = lab_transfer(1);
	while (ord_routing_partition(ord_routing_command(&c), FAKE_PARTITIONS) != partition);
	return c;
}
