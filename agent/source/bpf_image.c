/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the maps of images and origins; the contract stands in lookup.h. */
#include "source/bpf_image.h"

#include "base/macro.h"
#include "bpf/record.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

#include "bpf/flowtrace.skel.h"

static_assert(sizeof(((struct ft_image *)0)->text) <= LOOKUP_IMAGE_TEXT, "all of it fits");

static bool read_image(const struct flowtrace_bpf *skeleton, const struct ft_image_key *key,
                       uint64_t process_start_ns, struct lookup_image *ret_image)
{
    struct ft_image image;

    if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.images), key, &image) < 0 ||
        image.process_start_ns != process_start_ns)
        return false;
    ret_image->known = true;
    ret_image->inode = image.inode;
    ret_image->args_len = MIN(image.args_len, FT_IMAGE_TEXT);
    ret_image->text_len = MIN(image.text_len, FT_IMAGE_TEXT);
    memcpy(ret_image->text, image.text, ret_image->text_len);
    image.path[sizeof(image.path) - 1] = '\0';
    snprintf(ret_image->path, sizeof(ret_image->path), "%s", image.path);
    return true;
}

bool bpf_image_find(void *arg, const struct lookup_question *question,
                    struct lookup_image *ret_image)
{
    const struct flowtrace_bpf *skeleton = arg;
    struct ft_image_key key = {question->tgid, question->exec_id};
    struct ft_origin origin;

    memset(ret_image, 0, offsetof(struct lookup_image, text));
    if (read_image(skeleton, &key, question->process_start_ns, ret_image))
        return true;
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.origins), &question->tgid, &origin) < 0 ||
        origin.process_start_ns != question->process_start_ns ||
        origin.image.exec_id != question->exec_id)
        return false;
    ret_image->origin_tgid = origin.image.tgid;
    ret_image->origin_start_ns = origin.origin_start_ns;
    read_image(skeleton, &origin.image, origin.origin_start_ns, ret_image);
    return true;
}
