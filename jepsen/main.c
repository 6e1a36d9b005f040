/* SPDX-License-Identifier: Apache-2.0 - ordain-jepsen: breaks a cluster on purpose and judges what its clients were told. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "jepsen/campaign.h"
#include "jepsen/clock.h"
#include "jepsen/judge.h"
#include "jepsen/run.h"
#include "jepsen/setting.h"

#define EXIT_USAGE 3
#define EXIT_NOT_RUN 4

/* Prints "ordain-jepsen command: text" for people; gives back the status. */
__attribute__((format(printf, 3, 4))) static int fail(const char *command, int status, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "ordain-jepsen %s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* Valid 0, invalid 1, unknown 2. */
static int status_of(enum ord_validity validity)
{
	return validity == ORD_VALID ? 0 : validity == ORD_INVALID ? 1 : 2;
}

/* True: go on. False: *ret_status is what to end with. */
static bool flags_read(const struct ord_flags *flags, int argc, char **argv, int *ret_status)
{
	char why[ORD_SETTING_WHY_SIZE];
	bool help;
	if (ord_flags_parse(flags, argc, argv, &help, why, sizeof why) != ORD_OK) {
		*ret_status = fail(flags->command, EXIT_USAGE, "%s", why);
		return false;
	}
	if (help)
		ord_flags_help(flags, stdout);
	*ret_status = 0;
	return !help;
}

_Static_assert(ORD_SUBJECT_WHY_SIZE >= ORD_SETTING_WHY_SIZE, "one text for both");

/* From now on a signal asks the program to put everything back and end. */
static void signals_take(void)
{
	struct sigaction stop = {.sa_handler = ord_clock_stop};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
}

static int run_main(int argc, char **argv)
{
	const char *workload = "bank", *nemeses = "none";
	int64_t seconds = 60;
	struct ord_setting s;
	struct ord_run_options options;
	struct ord_run_summary summary;
	char why[ORD_SUBJECT_WHY_SIZE];
	int status;
	ord_setting_init(&s, argc, argv);
	struct ord_flags_one list[ORD_SETTING_FLAGS + 3] = {
		{.name = "workload", .value = "W", .text = &workload, .help = ord_setting_workloads()},
		{.name = "nemesis", .value = "N[,N]", .text = &nemeses, .help = ord_setting_nemeses()},
		{.name = "time-limit",
		 .value = "S",
		 .number = &seconds,
		 .min = 1,
		 .max = 86400,
		 .help = "seconds of load"},
	};
	memcpy(list + 3, s.flags, s.flags_count * sizeof *list);
	struct ord_flags flags = {.command = "run",
				  .summary = "Starts a cluster, drives clients and faults, checks the history. Exit "
					     "status: 0 valid, 1 invalid, 2 unknown.",
				  .list = list,
				  .count = s.flags_count + 3};
	if (!flags_read(&flags, argc - 2, argv + 2, &status))
		return status;
	if (ord_setting_options(&s, workload, nemeses, seconds, &options, why) != ORD_OK)
		return fail("run", EXIT_USAGE, "%s", why);
	signals_take();
	if (ord_run(&options, &summary, why) != ORD_OK)
		return fail("run", EXIT_NOT_RUN, "%s", why);
	printf("%s: %s under %s, seed %" PRIu64 ": %" PRIu32 " operations, %" PRIu32 ".%" PRIu32
	       " %% ok, longest outage %" PRIu64 " ms, %" PRIu32 " faults\n",
	       ord_validity_name(summary.validity), workload, nemeses, options.seed, summary.ops_count,
	       summary.ok_per_mille / 10, summary.ok_per_mille % 10, summary.outage_us / 1000, summary.faults_count);
	if (summary.faults_unseen > 0)
		printf("no effect was seen of %" PRIu32 " of the faults\n", summary.faults_unseen);
	if (summary.words[0] != '\0')
		printf("%s\n", summary.words);
	printf("%s\n", summary.dir);
	return status_of(summary.validity);
}

static int campaign_main(int argc, char **argv)
{
	struct ord_campaign_options options = {
		.workloads = "bank,unique,register,set,idempotence,stock,log",
		.nemeses = "none,kill,pause,partition,clock,disk,all",
	};
	int64_t minutes = 60;
	struct ord_setting s;
	char why[ORD_SETTING_WHY_SIZE];
	enum ord_validity validity;
	int status;
	ord_setting_init(&s, argc, argv);
	struct ord_flags_one list[ORD_SETTING_FLAGS + 3] = {
		{.name = "minutes",
		 .value = "M",
		 .number = &minutes,
		 .min = 1,
		 .max = 100000,
		 .help = "for all runs together"},
		{.name = "workloads", .value = "W,W", .text = &options.workloads, .help = "which"},
		{.name = "nemeses", .value = "N,N", .text = &options.nemeses, .help = "which"},
	};
	memcpy(list + 3, s.flags, s.flags_count * sizeof *list);
	struct ord_flags flags = {.command = "campaign",
				  .summary = "Runs every workload under every nemesis. Exit status: 0 all valid, 1 one "
					     "invalid, 2 one unknown.",
				  .list = list,
				  .count = s.flags_count + 3};
	if (!flags_read(&flags, argc - 2, argv + 2, &status))
		return status;
	options.minutes = (uint32_t)minutes;
	signals_take();
	if (ord_campaign_run(&s, &options, &validity, why) != ORD_OK)
		return fail("campaign", EXIT_USAGE, "%s", why);
	return status_of(validity);
}

static int check_main(int argc, char **argv)
{
	const char *workload = NULL, *path = NULL;
	int64_t seconds = 60;
	const struct ord_flags_one list[] = {
		{.name = "workload", .value = "W", .text = &workload, .help = ord_setting_workloads()},
		{.name = "check-seconds",
		 .value = "N",
		 .number = &seconds,
		 .min = 1,
		 .max = 36000,
		 .help = "for a checker that searches: then it says unknown"},
	};
	struct ord_flags flags = {.command = "check",
				  .summary = "Checks a history again. Exit status: 0 valid, 1 invalid, 2 unknown.",
				  .list = list,
				  .count = sizeof list / sizeof *list,
				  .word = &path,
				  .word_name = "FILE"};
	struct ord_jepsen_history h;
	struct ord_edn_problem problem = {0};
	struct ord_judge judge;
	int status;
	if (!flags_read(&flags, argc - 2, argv + 2, &status))
		return status;
	if (workload == NULL)
		return fail("check", EXIT_USAGE,
			    "--workload is missing: by which rules? There are: %s; results.json beside "
			    "a history tells",
			    ord_setting_workloads());
	struct ord_judge_options options = {.workload = ord_workload_find(workload),
					    .check = {.time_limit_ms = (uint32_t)seconds * 1000}};
	if (options.workload == NULL)
		return fail("check", EXIT_USAGE, "--workload: there is no '%s'; there are: %s", workload,
			    ord_setting_workloads());
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return fail("check", EXIT_USAGE, "%s: %s", path, strerror(errno));
	int err = ord_jepsen_read(in, &h, &problem);
	fclose(in);
	if (err == ORD_ERR_FORMAT)
		return fail("check", EXIT_USAGE, "%s: line %" PRIu64 ", column %" PRIu32 ": %s", path, problem.line,
			    problem.column, problem.why);
	if (err == ORD_OK)
		err = ord_judge_run(&h, &options, &judge);
	if (err != ORD_OK)
		return fail("check", EXIT_NOT_RUN, "%s: %s", path, ord_err_text(err));
	for (uint32_t i = 0; i < judge.count; i++) {
		struct ord_edn_pool pool;
		ord_edn_pool_init(&pool, 64u << 20);
		printf("%s ", judge.names[i]);
		ord_edn_write(stdout, ord_verdict_edn(&judge.verdicts[i], &pool));
		putchar('\n');
		ord_edn_pool_close(&pool);
	}
	status = status_of(judge.validity);
	ord_judge_close(&judge);
	ord_jepsen_close(&h);
	return status;
}

static int help_main(int status)
{
	FILE *out = status == 0 ? stdout : stderr;
	fputs("usage: ordain-jepsen COMMAND [flags]\n\n"
	      "  run       Starts a cluster, drives clients and faults, checks the history.\n"
	      "  campaign  Runs every workload under every nemesis, and prints a table.\n"
	      "  check     Checks a history again.\n"
	      "  list      Names the workloads and nemeses.\n\n"
	      "COMMAND --help lists the flags. Exit status: 0 valid, 1 invalid, 2 unknown, 3 wrong input, 4 it could "
	      "not be run.\n",
	      out);
	return status;
}

static int list_main(void)
{
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++)
		printf("workload  %-16s %s\n", (*w)->name, (*w)->summary);
	for (const struct ord_nemesis *const *n = ord_nemeses; *n != NULL; n++)
		printf("nemesis   %-16s %s\n", (*n)->name, (*n)->summary);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* a lost connection is an error code */
	const char *command = argc > 1 ? argv[1] : "";
	if (strcmp(command, "run") == 0)
		return run_main(argc, argv);
	if (strcmp(command, "campaign") == 0)
		return campaign_main(argc, argv);
	if (strcmp(command, "check") == 0)
		return check_main(argc, argv);
	if (strcmp(command, "list") == 0)
		return list_main();
	return help_main(strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 ? 0 : EXIT_USAGE);
}
