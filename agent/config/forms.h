/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text forms of settings that another room reads again after settings_load has accepted them: pure
 * functions, so that both sides agree on what a port range or an address is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* "N" or "N-M" with 1 <= N <= M <= 65535. Returns 0 or -EINVAL. */
int form_parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last);

/* An inode number, as `readlink /proc/PID/ns/net` shows it. Returns 0 or -EINVAL. */
int form_parse_netns(const char *text, uint32_t *ret_netns);

/*
 * "ADDRESS:PORT" with a numeric IPv4 address, or a numeric IPv6 address in brackets; port 0 leaves
 * the choice to the kernel. Returns 0 or -EINVAL.
 */
int form_parse_address(const char *text, struct sockaddr_storage *ret_address,
                       socklen_t *ret_length);

/* What the table of settings asks of texts. */
bool form_is_ports(const char *text);
bool form_is_netns(const char *text);
bool form_is_address_or_empty(const char *text);
bool form_is_log_level(const char *text);
bool form_is_hooks(const char *text);
bool form_is_auto_off(const char *text);
bool form_is_export(const char *text); /* WORD, WORD:TARGET, either with ;NAME=VALUE */
bool form_is_pair(const char *text);   /* NAME=VALUE, of which VALUE may be empty */
bool form_is_not_empty(const char *text);
