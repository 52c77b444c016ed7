/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_name.h"

#include <stddef.h>

void json_name(const char *name, char ret_name[static JSON_NAME_SIZE])
{
    size_t n = 0;

    for (; *name && n < JSON_NAME_SIZE - 1; name++) {
        if (*name == '_' && name[1] >= 'a' && name[1] <= 'z')
            ret_name[n++] = (char)(*++name - 'a' + 'A');
        else
            ret_name[n++] = *name;
    }
    ret_name[n] = '\0';
}
