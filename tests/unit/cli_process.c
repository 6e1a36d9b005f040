/* SPDX-License-Identifier: Apache-2.0 - daemons: started, found again, paused, ended; a reused pid is nobody. */
#include "cli/process.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

static char dir[] = "/tmp/ordain-process-XXXXXX";
static char pid_file[64], log_file[64], why[1024];
static struct ord_process daemon_process = {.pidfd = -1};

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(pid_file, sizeof pid_file, "%s/pid", dir);
	snprintf(log_file, sizeof log_file, "%s/log", dir);
}

static void remove_dir(void)
{
	if (daemon_process.pidfd >= 0) {
		ord_process_signal(&daemon_process, SIGKILL);
		ord_process_wait(&daemon_process, 10000);
		ord_process_close(&daemon_process);
	}
	unlink(pid_file);
	unlink(log_file);
	rmdir(dir);
}

TestSuite(cli_process, .init = make_dir, .fini = remove_dir);

static int start(const char *program, char *const *argv)
{
	struct ord_process_spawn spawn = {.program = program, .argv = argv, .log = log_file, .pid_file = pid_file};
	return ord_process_start(&spawn, &daemon_process, why, sizeof why);
}

static void start_sleeper(void)
{
	static char name[] = "sleep", seconds[] = "600";
	char *argv[] = {name, seconds, NULL};
	cr_assert_eq(start("/bin/sleep", argv), ORD_OK, "%s", why);
}

static struct ord_process find(void)
{
	struct ord_process found;
	cr_assert_eq(ord_process_find(pid_file, &found, why, sizeof why), ORD_OK, "%s", why);
	return found;
}

static void pid_file_put(const char *text)
{
	FILE *out = fopen(pid_file, "w");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

Test(cli_process, is_found_again_until_it_ends)
{
	start_sleeper();
	struct ord_process found = find();
	cr_assert_eq(found.pid, daemon_process.pid);
	cr_assert_not(found.paused);
	cr_assert_eq(getsid(found.pid), found.pid, "a session of its own");
	cr_assert_not(ord_process_wait(&found, 0));
	cr_assert_eq(ord_process_signal(&found, SIGTERM), ORD_OK);
	cr_assert(ord_process_wait(&found, 10000));
	cr_assert(ord_process_wait(&daemon_process, 0), "reaps the child");
	cr_assert_eq(ord_process_signal(&found, SIGTERM), ORD_ERR_NOT_FOUND);
	ord_process_close(&found);
	found = find();
	cr_assert_eq(found.pid, 0);
	cr_assert_eq(found.pidfd, -1);
}

Test(cli_process, pause_is_seen)
{
	start_sleeper();
	cr_assert_eq(ord_process_signal(&daemon_process, SIGSTOP), ORD_OK);
	cr_assert_eq(waitpid(daemon_process.pid, NULL, WUNTRACED), daemon_process.pid);
	struct ord_process found = find();
	cr_assert(found.paused);
	ord_process_close(&found);
}

Test(cli_process, a_zombie_is_not_running)
{
	start_sleeper();
	cr_assert_eq(ord_process_signal(&daemon_process, SIGKILL), ORD_OK);
	siginfo_t info;
	cr_assert_eq(waitid(P_PID, (id_t)daemon_process.pid, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(find().pid, 0);
}

/* For how long the process of the tests below outlives its first thread, in milliseconds. */
static long rest_ms;

static void *outlive(void *unused)
{
	struct timespec rest = {.tv_sec = rest_ms / 1000, .tv_nsec = rest_ms % 1000 * 1000000};
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail before it ends this process */
	nanosleep(&rest, NULL);
	_exit(0);
}

/* The state of the process, from /proc. */
static char state_of(pid_t pid)
{
	char path[32], state = '?';
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *in = fopen(path, "r");
	cr_assert_not_null(in);
	cr_assert_eq(fscanf(in, "%*d %*s %c", &state), 1);
	fclose(in);
	return state;
}

/* A child whose first thread is a zombie while another one lives on for rest_ms; its pid file. */
static pid_t start_headless(void)
{
	unsigned long long ticks;
	char path[32], boot[40], text[128];
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t other;
		if (pthread_create(&other, NULL, outlive, NULL) != 0)
			_exit(1);
		syscall(SYS_exit, 0); /* of this thread only */
	}
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *in = fopen(path, "r");
	cr_assert_eq(fscanf(in,
			    "%*d %*s %*c %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %llu",
			    &ticks),
		     1);
	fclose(in);
	in = fopen("/proc/sys/kernel/random/boot_id", "r");
	cr_assert_eq(fscanf(in, "%39s", boot), 1);
	fclose(in);
	snprintf(text, sizeof text, "%d %llu %s\n", (int)pid, ticks, boot);
	pid_file_put(text);
	while (state_of(pid) != 'Z')
		sched_yield();
	return pid;
}

/* Its ports are taken as long as any thread lives. */
Test(cli_process, a_dying_process_is_waited_for)
{
	siginfo_t info = {0};
	rest_ms = 500;
	pid_t pid = start_headless();
	cr_assert_eq(find().pid, 0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	cr_assert_eq(info.si_pid, pid, "all of it has ended");
}

Test(cli_process, a_process_that_does_not_finish_dying_is_running)
{
	rest_ms = 20000;
	pid_t pid = start_headless();
	int64_t begin_ms = ord_process_now_ms();
	struct ord_process found = find();
	cr_assert_eq(found.pid, pid);
	cr_assert_geq(ord_process_now_ms() - begin_ms, 2000);
	cr_assert_eq(ord_process_signal(&found, SIGKILL), ORD_OK);
	cr_assert(ord_process_wait(&found, 10000));
	ord_process_close(&found);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* The process exists, but it is not the one that the file means. */
Test(cli_process, a_reused_pid_is_nobody)
{
	unsigned long long ticks;
	char boot[40], text[128];
	int pid;
	start_sleeper();
	FILE *in = fopen(pid_file, "r");
	cr_assert_eq(fscanf(in, "%d %llu %39s", &pid, &ticks, boot), 3);
	fclose(in);
	snprintf(text, sizeof text, "%d %llu %s\n", pid, ticks - 1, boot);
	pid_file_put(text);
	cr_assert_eq(find().pid, 0, "another start time");
	boot[0] = boot[0] == '0' ? '1' : '0';
	snprintf(text, sizeof text, "%d %llu %s\n", pid, ticks, boot);
	pid_file_put(text);
	cr_assert_eq(find().pid, 0, "another boot");
}

Test(cli_process, no_file_is_no_process)
{
	cr_assert_eq(find().pid, 0);
}

Test(cli_process, another_file_is_named)
{
	static const char *const bad[] = {"", "hello\n", "12\n", "-1 5 0123\n", "1 2 abc trailing\n"};
	struct ord_process found;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		pid_file_put(bad[i]);
		cr_assert_eq(ord_process_find(pid_file, &found, why, sizeof why), ORD_ERR_FORMAT, "%s", bad[i]);
		cr_assert_not_null(strstr(why, pid_file));
		cr_assert_eq(found.pid, 0);
	}
}

Test(cli_process, output_goes_to_the_log_and_nothing_is_inherited)
{
	static char shell[] = "sh", flag[] = "-c", script[] = "echo out; echo err >&2; ls /proc/self/fd";
	char *argv[] = {shell, flag, script, NULL};
	char text[256];
	int open_here = dup(1);
	cr_assert_geq(open_here, 3);
	cr_assert_eq(start("/bin/sh", argv), ORD_OK, "%s", why);
	cr_assert(ord_process_wait(&daemon_process, 10000));
	FILE *in = fopen(log_file, "r");
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	close(open_here);
	cr_assert_str_eq(text, "out\nerr\n0\n1\n2\n3\n", "3 is the directory that ls reads");
}

Test(cli_process, a_program_that_cannot_run_is_named)
{
	static char name[] = "nothing";
	char *argv[] = {name, NULL};
	cr_assert_eq(start("/nowhere/nothing", argv), ORD_ERR_IO);
	cr_assert_str_eq(why, "/nowhere/nothing: No such file or directory");
	cr_assert_neq(access(pid_file, F_OK), 0, "no pid file is left");
	unlink(log_file);
	snprintf(log_file, sizeof log_file, "/nowhere/log");
	cr_assert_eq(start("/bin/true", argv), ORD_ERR_IO);
	cr_assert_str_eq(why, "/nowhere/log: No such file or directory");
}

Test(cli_process, signals_have_names)
{
	cr_assert_eq(ord_process_signal_number("KILL"), SIGKILL);
	cr_assert_eq(ord_process_signal_number("SIGTERM"), SIGTERM);
	cr_assert_eq(ord_process_signal_number("sigstop"), SIGSTOP);
	cr_assert_eq(ord_process_signal_number("SIG"), 0);
	cr_assert_eq(ord_process_signal_number("9"), 0);
	cr_assert_eq(ord_process_signal_number("WOMBAT"), 0);
}
