/* SPDX-License-Identifier: Apache-2.0 - ordain: finds the subcommand and runs it. */
#include <signal.h>
#include <string.h>

#include "cli/cmd.h"
#include "client/ordain.h"

static const struct ord_cmd commands[] = {
#define X(function, label, text) {.name = (label), .summary = (text), .run = ord_cmd_##function},
#include "cli/commands.def"
#undef X
};

#define COMMANDS_COUNT (sizeof commands / sizeof *commands)

/* Length of the first word of a name. */
static size_t family_len(const char *name)
{
	return strcspn(name, " ");
}

static bool family_is(const struct ord_cmd *c, const char *word)
{
	return strlen(word) == family_len(c->name) && strncmp(c->name, word, strlen(word)) == 0;
}

/* The subcommand that the words begin with and how many of them name it; NULL when there is none. */
static const struct ord_cmd *command_find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; argc > 0 && i < COMMANDS_COUNT; i++) {
		const char *verb = commands[i].name + family_len(commands[i].name);
		if (!family_is(&commands[i], argv[0]))
			continue;
		*ret_words = *verb == '\0' ? 1 : 2;
		if (*verb == '\0' || (argc > 1 && strcmp(verb + 1, argv[1]) == 0))
			return &commands[i];
	}
	return NULL;
}

/* All subcommands, or those of one family. */
static void list_print(const char *family, FILE *out)
{
	for (size_t i = 0; i < COMMANDS_COUNT; i++) {
		if (family == NULL || family_is(&commands[i], family))
			fprintf(out, "  %-17s %s\n", commands[i].name, commands[i].summary);
	}
}

static void help_print(FILE *out)
{
	fputs("usage: ordain COMMAND [flags]\n\n"
	      "ordain drives a cluster that grants names and moves money, each exactly once.\n\n",
	      out);
	list_print(NULL, out);
	fputs("\n"
	      "  help [COMMAND]    Shows the flags of a command, as does COMMAND --help.\n"
	      "  --version         Shows the version.\n\n"
	      "Commands find their cluster by --dir DIR, --connect HOST:PORT or the environment's ORDAIN_CONNECT.\n"
	      "Tables on a terminal, tab-separated lines otherwise, JSON with --json.\n"
	      "Exit status: 0 done, 1 refused or not reached (nothing was done), 2 wrong input, 3 outcome unknown.\n",
	      out);
}

/* Tells what was probably meant by words that name no subcommand. */
static int unknown_tell(int argc, char **argv)
{
	const char *names[COMMANDS_COUNT];
	char given[64];
	bool family_known = false;
	for (size_t i = 0; i < COMMANDS_COUNT; i++) {
		names[i] = commands[i].name;
		family_known = family_known || family_is(&commands[i], argv[0]);
	}
	if (family_known && argc == 1) {
		fprintf(stderr, "ordain: '%s' needs one more word:\n", argv[0]);
		list_print(argv[0], stderr);
		return ORD_EXIT_USAGE;
	}
	snprintf(given, sizeof given, "%s%s%s", argv[0], argc > 1 && argv[1][0] != '-' ? " " : "",
		 argc > 1 && argv[1][0] != '-' ? argv[1] : "");
	const char *nearest = ord_args_nearest(given, names, COMMANDS_COUNT);
	if (nearest == NULL)
		nearest = ord_args_nearest(argv[0], names, COMMANDS_COUNT);
	if (nearest != NULL)
		fprintf(stderr, "ordain: there is no command '%s'; did you mean '%s'?\n", given, nearest);
	else
		fprintf(stderr, "ordain: there is no command '%s'; 'ordain help' lists them\n", given);
	return ORD_EXIT_USAGE;
}

static int help_run(int argc, char **argv)
{
	char help[] = "--help";
	char *words[] = {help};
	int used = 0;
	if (argc == 0) {
		help_print(stdout);
		return ORD_EXIT_OK;
	}
	const struct ord_cmd *c = command_find(argc, argv, &used);
	if (c != NULL)
		return c->run(c, 1, words);
	if (used == 2 && argc == 1) {
		list_print(argv[0], stdout);
		return ORD_EXIT_OK;
	}
	return unknown_tell(argc, argv);
}

int main(int argc, char **argv)
{
	int used = 0;
	signal(SIGPIPE, SIG_IGN); /* a lost connection is an error code */
	if (argc < 2) {
		help_print(stderr);
		return ORD_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		printf("ordain %s\n", ordain_version());
		return ORD_EXIT_OK;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help_run(argc - 2, argv + 2);
	const struct ord_cmd *c = command_find(argc - 1, argv + 1, &used);
	if (c == NULL && used == 2 && argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
		return help_run(1, argv + 1);
	if (c == NULL)
		return unknown_tell(argc - 1, argv + 1);
	return c->run(c, argc - 1 - used, argv + 1 + used);
}
