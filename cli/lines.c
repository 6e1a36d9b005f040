/* SPDX-License-Identifier: Apache-2.0 - lines of a CSV file as commands: finds the columns by the heading, checks every field. */
#include "cli/lines.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "cli/args.h"
#include "cli/check.h"

#define SHOWN_BYTES_MAX 64 /* of a wrong value in a message */

static const char *const transfer_columns[] = {"request_id", "payer", "payee", "amount", "asset"};
static const char *const claim_columns[] = {"request_id", "namespace", "name", "owner"};

static const char *const *columns_of(enum ordain_command_kind kind, size_t *ret_count)
{
	ORD_ASSERT(kind == ORDAIN_TRANSFER || kind == ORDAIN_CLAIM);
	*ret_count = kind == ORDAIN_TRANSFER ? 5 : 4;
	return kind == ORDAIN_TRANSFER ? transfer_columns : claim_columns;
}

static void columns_tell(enum ordain_command_kind kind, const char *what, const char *column, char *why,
			 size_t why_size)
{
	snprintf(why, why_size, "line 1: column %s is %s; the first line must name the columns %s", column, what,
		 kind == ORDAIN_TRANSFER ? "request_id,payer,payee,amount,asset" : "request_id,namespace,name,owner");
}

int ord_lines_init(struct ord_lines *l, enum ordain_command_kind kind, const struct ord_csv_record *heading, char *why,
		   size_t why_size)
{
	const char *const *columns = columns_of(kind, &l->columns_count);
	l->kind = kind;
	l->fields_count = heading->fields_count;
	for (size_t k = 0; k < l->columns_count; k++) {
		size_t found = 0;
		for (size_t i = 0; i < heading->fields_count; i++) {
			if (!ord_slice_equal(heading->fields[i], ord_slice_text(columns[k])))
				continue;
			l->places[k] = i;
			found++;
		}
		if (found == 1)
			continue;
		columns_tell(kind, found == 0 ? "missing" : "there twice", columns[k], why, why_size);
		return ORD_ERR_FORMAT;
	}
	return ORD_OK;
}

struct ord_slice ord_lines_request_id(const struct ord_lines *l, const struct ord_csv_record *record)
{
	if (l->places[0] >= record->fields_count)
		return ord_slice_of(NULL, 0);
	return record->fields[l->places[0]];
}

static struct ordain_str field(const struct ord_lines *l, const struct ord_csv_record *record, size_t column)
{
	struct ord_slice s = record->fields[l->places[column]];
	return (struct ordain_str){.base = s.base, .len = s.len};
}

static int amount_read(struct ordain_str text, int64_t *ret, char *why, size_t why_size)
{
	char number[24];
	if (text.len > 0 && text.len < sizeof number && memchr(text.base, '\0', text.len) == NULL) {
		memcpy(number, text.base, text.len);
		number[text.len] = '\0';
		if (ord_args_number(number, 1, INT64_MAX, ret) == ORD_OK)
			return ORD_OK;
	}
	snprintf(why, why_size, "amount: '%.*s' is not an integer from 1 to %" PRId64,
		 (int)(text.len < SHOWN_BYTES_MAX ? text.len : SHOWN_BYTES_MAX), text.base, INT64_MAX);
	return ORD_ERR_FORMAT;
}

static int id_read(struct ordain_str text, struct ordain_id *ret, char *why, size_t why_size)
{
	if (ordain_id_parse(text, ret) == 0)
		return ORD_OK;
	snprintf(why, why_size, "request_id: '%.*s' is not a UUID like 0190b5f0-7c4e-7a11-8f00-0123456789ab",
		 (int)(text.len < SHOWN_BYTES_MAX ? text.len : SHOWN_BYTES_MAX), text.base);
	return ORD_ERR_FORMAT;
}

static int payload_read(const struct ord_lines *l, const struct ord_csv_record *record, struct ordain_command *ret,
			char *why, size_t why_size)
{
	if (l->kind == ORDAIN_CLAIM) {
		ret->naming = (struct ordain_naming){
			.space = field(l, record, 1), .name = field(l, record, 2), .owner = field(l, record, 3)};
		return ORD_OK;
	}
	ret->transfer = (struct ordain_transfer){
		.payer = field(l, record, 1), .payee = field(l, record, 2), .asset = field(l, record, 4)};
	return amount_read(field(l, record, 3), &ret->transfer.amount, why, why_size);
}

int ord_lines_read(const struct ord_lines *l, const struct ord_csv_record *record, struct ordain_command *ret,
		   char *why, size_t why_size)
{
	struct ordain_command c = {.kind = l->kind};
	struct ord_fault fault;
	if (record->fields_count != l->fields_count) {
		snprintf(why, why_size, "%zu fields where the heading has %zu", record->fields_count, l->fields_count);
		return ORD_ERR_FORMAT;
	}
	int err = id_read(field(l, record, 0), &c.id, why, why_size);
	if (err == ORD_OK)
		err = payload_read(l, record, &c, why, why_size);
	if (err != ORD_OK)
		return err;
	if (ord_check_command(&c, &fault) != ORD_OK) {
		snprintf(why, why_size, "%s: must be %s", strcmp(fault.field, "id") == 0 ? "request_id" : fault.field,
			 fault.remedy);
		return ORD_ERR_FORMAT;
	}
	*ret = c;
	return ORD_OK;
}
