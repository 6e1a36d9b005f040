/* SPDX-License-Identifier: Apache-2.0 - the names of numbers, from the lists. */
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"

#define UNKNOWN "unknown"

const char *ord_command_name(enum ord_command_kind kind)
{
	switch (kind) {
#define X(number, name, text) \
	case number:          \
		return text;
#include "partition/commands.def"
#undef X
	}
	return UNKNOWN;
}

const char *ord_message_name(enum ord_message_kind kind)
{
	switch (kind) {
#define X(number, name, text) \
	case number:          \
		return text;
#include "partition/messages.def"
#undef X
	}
	return UNKNOWN;
}

const char *ord_refusal_name(enum ord_refusal reason)
{
	switch (reason) {
	case ORD_REFUSAL_NONE:
		return "none";
#define X(number, name, text, explanation) \
	case number:                       \
		return text;
#include "partition/refusals.def"
#undef X
	}
	return UNKNOWN;
}

const char *ord_refusal_text(enum ord_refusal reason)
{
	switch (reason) {
	case ORD_REFUSAL_NONE:
		return "not refused";
#define X(number, name, text, explanation) \
	case number:                       \
		return explanation;
#include "partition/refusals.def"
#undef X
	}
	return "a refusal that this build does not know";
}

const char *ord_account_state_name(enum ord_account_state state)
{
	switch (state) {
	case ORD_ACCOUNT_OPEN:
		return "open";
	case ORD_ACCOUNT_FROZEN:
		return "frozen";
	case ORD_ACCOUNT_CLOSED:
		return "closed";
	}
	return UNKNOWN;
}

const char *ord_status_name(enum ord_status status)
{
	switch (status) {
	case ORD_STATUS_ACCEPTED:
		return "accepted";
	case ORD_STATUS_SETTLED:
		return "settled";
	case ORD_STATUS_REJECTED:
		return "rejected";
	}
	return UNKNOWN;
}

const char *ord_posting_kind_name(enum ord_posting_kind kind)
{
	switch (kind) {
	case ORD_POSTING_DEBIT:
		return "debit";
	case ORD_POSTING_CREDIT:
		return "credit";
	case ORD_POSTING_REFUND:
		return "refund";
	}
	return UNKNOWN;
}
