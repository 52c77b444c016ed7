/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DATA frames (RFC 9113, section 6.1): bodies are passed over. Where they consist of messages, each
 * with its length in front, those five bytes are looked at and the messages counted (http/grpc_body.h):
 *
 *   [frame] [5][message][5][message ...        ...][5][...] [padding]
 *           seen  skip  seen  skip             goes on in the next frame
 */
#pragma once

#include "protocols/http2/http2.h"

/* The input begins with the frame's nine bytes. */
struct parse_result http2_parse_data_head(struct http2_state *http2,
                                          const struct parse_input *input,
                                          const struct frame *frame, struct message *ret_message);

/* The input begins inside the payload: direction->in_data. */
struct parse_result http2_parse_data(struct http2_state *http2, const struct parse_input *input,
                                     struct message *ret_message);
