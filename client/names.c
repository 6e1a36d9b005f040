/* SPDX-License-Identifier: Apache-2.0 - names and texts of the public numbers. */
#include "client/ordain.h"
#include "client/rpc.h"

#define X(code, name, text, explanation) \
	_Static_assert((int)ORDAIN_ERR_##name == (code), "ordain.h spells the codes of the .def lists");
#include "client/errors.def"
#include "client/local.def"
#undef X

const char *ordain_version(void)
{
	return ORDAIN_VERSION;
}

const char *ordain_error_name(int code)
{
	switch (code) {
#define X(number, name, text, explanation) \
	case number:                       \
		return text;
#include "client/local.def"
#undef X
	default:
		return ord_rpc_error_name((enum ord_rpc_error)code);
	}
}

const char *ordain_strerror(int code)
{
	switch (code) {
#define X(number, name, text, explanation) \
	case number:                       \
		return explanation;
#include "client/local.def"
#undef X
	default:
		return ord_rpc_error_text((enum ord_rpc_error)code);
	}
}

/* The text at place number of a list that begins at 0. */
static const char *listed(const char *const *texts, size_t count, int number)
{
	if (number < 0 || (size_t)number >= count || texts[number] == NULL)
		return "unknown";
	return texts[number];
}

#define LISTED(texts, number) listed(texts, sizeof(texts) / sizeof((texts)[0]), (int)(number))

const char *ordain_command_name(enum ordain_command_kind kind)
{
	static const char *const names[] = {
		[ORDAIN_OPEN_ACCOUNT] = "open_account", [ORDAIN_SET_ACCOUNT] = "set_account",
		[ORDAIN_TRANSFER] = "transfer",		[ORDAIN_CLAIM] = "claim",
		[ORDAIN_RELEASE] = "release",		[ORDAIN_REASSIGN] = "reassign",
	};
	return LISTED(names, kind);
}

const char *ordain_account_state_name(enum ordain_account_state state)
{
	static const char *const names[] = {
		[ORDAIN_ACCOUNT_OPEN] = "open", [ORDAIN_ACCOUNT_FROZEN] = "frozen", [ORDAIN_ACCOUNT_CLOSED] = "closed"};
	return LISTED(names, state);
}

const char *ordain_answer_name(enum ordain_answer answer)
{
	static const char *const names[] = {[ORDAIN_OK] = "ok",
					    [ORDAIN_REFUSED] = "refused",
					    [ORDAIN_UNKNOWN] = "unknown",
					    [ORDAIN_FAILED] = "failed"};
	return LISTED(names, answer);
}

const char *ordain_status_name(enum ordain_status status)
{
	static const char *const names[] = {[ORDAIN_STATUS_NONE] = "none",
					    [ORDAIN_STATUS_ACCEPTED] = "accepted",
					    [ORDAIN_STATUS_SETTLED] = "settled",
					    [ORDAIN_STATUS_REJECTED] = "rejected"};
	return LISTED(names, status);
}

const char *ordain_posting_kind_name(enum ordain_posting_kind kind)
{
	static const char *const names[] = {[ORDAIN_POSTING_DEBIT] = "debit",
					    [ORDAIN_POSTING_CREDIT] = "credit",
					    [ORDAIN_POSTING_REFUND] = "refund"};
	return LISTED(names, kind);
}
