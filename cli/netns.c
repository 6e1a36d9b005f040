/* SPDX-License-Identifier: Apache-2.0 - the network of a cluster whose nodes have a network namespace each: made, looked for, taken away. */
#include "cli/netns.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/subnet.h"
#include "cli/tool.h"

#define SCRIPT_SIZE 8192

static uint32_t tag_of(const struct ord_layout *l)
{
	const uint8_t *random = l->cluster.bytes + 12; /* the end of a UUIDv7 */
	return (uint32_t)random[0] << 24 | (uint32_t)random[1] << 16 | (uint32_t)random[2] << 8 | random[3];
}

void ord_netns_name(const struct ord_layout *l, uint32_t node, char name[ORD_NETNS_NAME_SIZE])
{
	if (node == ORD_NETNS_SWITCH)
		snprintf(name, ORD_NETNS_NAME_SIZE, "ordain-%08" PRIx32 "-switch", tag_of(l));
	else
		snprintf(name, ORD_NETNS_NAME_SIZE, "ordain-%08" PRIx32 "-%" PRIu32, tag_of(l), node);
}

/* This machine's end of the link to the switch. */
static void host_link_name(const struct ord_layout *l, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "ord%08" PRIx32, tag_of(l));
}

int ord_netns_check(char *why, size_t why_size)
{
	static const struct {
		const char *program, *package;
	} needed[] = {{"ip", "iproute2"},  {"tc", "iproute2"},	 {"nft", "nftables"},	    {"mount", "mount"},
		      {"umount", "mount"}, {"losetup", "mount"}, {"mkfs.ext4", "e2fsprogs"}};
	int err = ORD_OK;
	if (geteuid() != 0) {
		snprintf(why, why_size, "network namespaces and mounts need root: run it as root, or without --netns");
		return ORD_ERR_INVALID;
	}
	for (size_t i = 0; err == ORD_OK && i < sizeof needed / sizeof *needed; i++)
		err = ord_tool_check(needed[i].program, needed[i].package, why, why_size);
	return err;
}

/* --- what is there ---------------------------------------------------------------------------------------------------- */

static void netns_path(const struct ord_layout *l, uint32_t node, char path[PATH_MAX])
{
	char name[ORD_NETNS_NAME_SIZE];
	ord_netns_name(l, node, name);
	snprintf(path, PATH_MAX, "/run/netns/%s", name);
}

/* Is the file there? One that was being made may be no namespace yet. */
static bool netns_has_name(const struct ord_layout *l, uint32_t node)
{
	char path[PATH_MAX];
	netns_path(l, node, path);
	return access(path, F_OK) == 0;
}

static bool netns_is_there(const struct ord_layout *l, uint32_t node)
{
	char path[PATH_MAX];
	struct statfs fs;
	netns_path(l, node, path);
	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

/* Is this machine's end of the link up? That is done last of all. */
static bool host_link_is_up(const struct ord_layout *l)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	host_link_name(l, request.ifr_name);
	bool up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
	close(fd);
	return up;
}

bool ord_netns_is_whole(const struct ord_layout *l)
{
	bool whole = host_link_is_up(l);
	for (uint32_t node = ORD_NETNS_SWITCH; whole && node <= l->nodes_count; node++)
		whole = netns_is_there(l, node);
	return whole;
}

/* --- making ----------------------------------------------------------------------------------------------------------- */

/* Runs lines of `ip -batch` in the namespace (NULL: here). */
static int ip_run(const char *netns, const char *script, char *why, size_t why_size)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	struct ord_tool tool = {.argv = argv, .input = script, .netns = netns};
	return ord_tool_run(&tool, why, why_size);
}

static int namespaces_make(const struct ord_layout *l, char *why, size_t why_size)
{
	char script[SCRIPT_SIZE], name[ORD_NETNS_NAME_SIZE];
	size_t len = 0;
	for (uint32_t node = ORD_NETNS_SWITCH; node <= l->nodes_count; node++) {
		ord_netns_name(l, node, name);
		len += (size_t)snprintf(script + len, sizeof script - len, "netns add %s\n", name);
	}
	return ip_run(NULL, script, why, why_size);
}

/* The bridge, and a port of it for each node and for this machine. */
static int switch_make(const struct ord_layout *l, char *why, size_t why_size)
{
	char script[SCRIPT_SIZE], name[ORD_NETNS_NAME_SIZE], host_link[IFNAMSIZ];
	size_t len = (size_t)snprintf(script, sizeof script,
				      "link set dev lo up\n"
				      "link add name br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
				      "link set dev br0 up\n");
	for (uint32_t node = 1; node <= l->nodes_count; node++) {
		ord_netns_name(l, node, name);
		len += (size_t)snprintf(script + len, sizeof script - len,
					"link add name n%" PRIu32 " type veth peer name eth0 netns %s\n"
					"link set dev n%" PRIu32 " master br0 up\n",
					node, name, node);
	}
	host_link_name(l, host_link);
	snprintf(script + len, sizeof script - len,
		 "link add name host type veth peer name %s\n"
		 "link set dev host master br0 up\n"
		 "link set dev %s netns %d\n",
		 host_link, host_link, (int)getpid());
	ord_netns_name(l, ORD_NETNS_SWITCH, name);
	return ip_run(name, script, why, why_size);
}

static int node_address(const struct ord_layout *l, uint32_t node, char *why, size_t why_size)
{
	char script[256], name[ORD_NETNS_NAME_SIZE], host[ORD_LAYOUT_HOST_SIZE];
	ord_layout_host(l, node, host);
	ord_netns_name(l, node, name);
	snprintf(script, sizeof script,
		 "link set dev lo up\n"
		 "address add %s/24 dev eth0\n"
		 "link set dev eth0 up\n",
		 host);
	return ip_run(name, script, why, why_size);
}

static int host_address(const struct ord_layout *l, char *why, size_t why_size)
{
	char script[256], host_link[IFNAMSIZ], host[ORD_LAYOUT_HOST_SIZE];
	ord_layout_host(l, 0, host);
	host_link_name(l, host_link);
	snprintf(script, sizeof script, "address add %s/24 dev %s\nlink set dev %s up\n", host, host_link, host_link);
	return ip_run(NULL, script, why, why_size);
}

int ord_netns_raise(const struct ord_layout *l, bool is_running, char *why, size_t why_size)
{
	if (ord_netns_is_whole(l))
		return ORD_OK;
	if (is_running) {
		snprintf(why, why_size,
			 "parts of the nodes' network are gone ('ip netns' lists it), and nodes run in it: stop the "
			 "cluster, then "
			 "start it");
		return ORD_ERR_IN_USE;
	}
	int err = ord_netns_remove(l, why, why_size);
	if (err == ORD_OK)
		err = ord_subnet_check(l->netns.network, why, why_size);
	if (err == ORD_OK)
		err = namespaces_make(l, why, why_size);
	if (err == ORD_OK)
		err = switch_make(l, why, why_size);
	for (uint32_t i = 0; err == ORD_OK && i < l->nodes_count; i++)
		err = node_address(l, l->nodes[i].id, why, why_size);
	if (err == ORD_OK)
		err = host_address(l, why, why_size);
	return err;
}

/* --- taking away ------------------------------------------------------------------------------------------------------ */

/* A namespace goes with the last process in it, and takes its links along then; this machine's link is taken away at once, so that its addresses are free. */
int ord_netns_remove(const struct ord_layout *l, char *why, size_t why_size)
{
	char script[SCRIPT_SIZE], name[ORD_NETNS_NAME_SIZE], host_link[IFNAMSIZ];
	size_t len = 0;
	script[0] = '\0';
	host_link_name(l, host_link);
	if (if_nametoindex(host_link) != 0)
		len += (size_t)snprintf(script + len, sizeof script - len, "link delete dev %s\n", host_link);
	for (uint32_t node = ORD_NETNS_SWITCH; node <= l->nodes_count; node++) {
		ord_netns_name(l, node, name);
		if (netns_has_name(l, node))
			len += (size_t)snprintf(script + len, sizeof script - len, "netns delete %s\n", name);
	}
	return len > 0 ? ip_run(NULL, script, why, why_size) : ORD_OK;
}
