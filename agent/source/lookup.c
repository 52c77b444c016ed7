/* SPDX-License-Identifier: Apache-2.0 */
/* The look-up thread; its contract stands in lookup.h. */
#include "source/lookup.h"

#include "base/hash.h"
#include "base/macro.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define QUESTIONS_LEN 2048 /* a power of two, as the next */
#define ANSWERS_LEN 64     /* while it is full, questions wait */
#define ASKED_LEN 4096 /* processes remembered as asked, by hash: a collision asks again */

struct lookup {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    int fd;
    struct lookup_images images;
    bool stopping;
    bool any_answers; /* read without the lock */
    unsigned n_questions, first_question;
    unsigned n_answers, first_answer;
    struct lookup_question questions[QUESTIONS_LEN];
    struct lookup_answer answers[ANSWERS_LEN];
    struct lookup_question asked[ASKED_LEN]; /* the asking thread's own, as the next */
    unsigned n_owed;
};

static bool next_question(struct lookup *lookup, struct lookup_question *ret_question)
{
    bool found;

    pthread_mutex_lock(&lookup->lock);
    while (!lookup->stopping && (lookup->n_questions == 0 || lookup->n_answers == ANSWERS_LEN))
        pthread_cond_wait(&lookup->wanted, &lookup->lock);
    found = !lookup->stopping;
    if (found) {
        *ret_question = lookup->questions[lookup->first_question];
        lookup->first_question = (lookup->first_question + 1) % QUESTIONS_LEN;
        lookup->n_questions--;
    }
    pthread_mutex_unlock(&lookup->lock);
    return found;
}

/* The facts' strings, which point into `from`, shall point to the same place in `to`. */
static void move_facts(struct process_facts *facts, const uint8_t *from, uint8_t *to)
{
    struct bytes *strings[] = {&facts->executable, &facts->service, &facts->cgroup,
                               &facts->container_id, &facts->attributes};

    for (size_t i = 0; i < ELEMENTSOF(strings); i++)
        if (strings[i]->ptr)
            strings[i]->ptr = to + (strings[i]->ptr - from);
}

static void copy_answer(struct lookup_answer *to, const struct lookup_answer *from)
{
    *to = *from;
    move_facts(&to->facts, from->text, to->text);
}

/* The process is gone: what it ran, or what runs the same and is still there, and its cgroup. */
static void answer_for_gone(const struct lookup *lookup, const struct lookup_question *question,
                            struct arena *arena, struct process_facts *facts)
{
    struct lookup_image found;
    struct process_image image;
    bool any = lookup->images.find && lookup->images.find(lookup->images.arg, question, &found);

    if (any && found.known) {
        image = (struct process_image){
            .path = bytes_from_string(found.path),
            .inode = found.inode,
            .cmdline = bytes_make(found.text, found.args_len),
            .environment = bytes_make(found.text + found.args_len,
                                      found.text_len - found.args_len),
        };
        process_read_gone(question->cgroup_id, &image, arena, facts);
    } else if ((!any || found.origin_tgid == 0 ||
                process_read(found.origin_tgid, found.origin_start_ns, arena, facts) < 0) &&
               facts->cgroup.len == 0) {
        process_read_gone(question->cgroup_id, NULL, arena, facts);
    }
}

static void *run(void *arg)
{
    struct lookup *lookup = arg;
    struct lookup_question question;
    uint64_t one = 1;

    while (next_question(lookup, &question)) {
        struct lookup_answer answer = {.tgid = question.tgid,
                                       .process_start_ns = question.process_start_ns};
        struct arena arena = arena_over(answer.text, sizeof(answer.text));
        struct process_facts facts = {0};

        /* One that has ended and was not waited for has no executable any more. */
        if (process_read(question.tgid, question.process_start_ns, &arena, &facts) < 0 ||
            facts.executable.len == 0)
            answer_for_gone(lookup, &question, &arena, &facts);
        answer.facts = facts;
        pthread_mutex_lock(&lookup->lock);
        copy_answer(&lookup->answers[(lookup->first_answer + lookup->n_answers++) % ANSWERS_LEN],
                    &answer);
        __atomic_store_n(&lookup->any_answers, true, __ATOMIC_RELEASE);
        pthread_mutex_unlock(&lookup->lock);
        if (write(lookup->fd, &one, sizeof(one)) < 0)
            continue; /* the counter is full: the reader has reason enough to wake */
    }
    return NULL;
}

int lookup_start(const struct lookup_images *images, struct lookup **ret_lookup)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    int r;

    if (!lookup)
        return -ENOMEM;
    if (images)
        lookup->images = *images;
    lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->fd < 0) {
        r = -errno;
        free(lookup);
        return r;
    }
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_cond_init(&lookup->wanted, NULL);
    r = -pthread_create(&lookup->thread, NULL, run, lookup);
    if (r < 0) {
        close(lookup->fd);
        free(lookup);
        return r;
    }
    *ret_lookup = lookup;
    return 0;
}

void lookup_stop(struct lookup *lookup)
{
    if (!lookup)
        return;
    pthread_mutex_lock(&lookup->lock);
    lookup->stopping = true;
    pthread_cond_signal(&lookup->wanted);
    pthread_mutex_unlock(&lookup->lock);
    pthread_join(lookup->thread, NULL);
    close(lookup->fd);
    pthread_mutex_destroy(&lookup->lock);
    pthread_cond_destroy(&lookup->wanted);
    free(lookup);
}

int lookup_fd(const struct lookup *lookup)
{
    return lookup->fd;
}

static bool is_same(const struct lookup_question *a, const struct lookup_question *b)
{
    return a->tgid == b->tgid && a->process_start_ns == b->process_start_ns &&
           a->exec_id == b->exec_id && memcmp(a->comm, b->comm, COMM_LEN) == 0;
}

bool lookup_ask(struct lookup *lookup, const struct lookup_question *question)
{
    uint64_t hash = hash_pair(question->tgid, question->process_start_ns);
    struct lookup_question *asked = &lookup->asked[hash & (ASKED_LEN - 1)];
    bool fits;

    if (is_same(asked, question))
        return true;
    pthread_mutex_lock(&lookup->lock);
    fits = lookup->n_questions < QUESTIONS_LEN;
    if (fits) {
        unsigned at = (lookup->first_question + lookup->n_questions++) % QUESTIONS_LEN;

        *asked = lookup->questions[at] = *question;
        lookup->n_owed++;
        pthread_cond_signal(&lookup->wanted);
    }
    pthread_mutex_unlock(&lookup->lock);
    return fits;
}

bool lookup_has_answers(const struct lookup *lookup)
{
    return __atomic_load_n(&lookup->any_answers, __ATOMIC_ACQUIRE);
}

bool lookup_owes(const struct lookup *lookup)
{
    return lookup->n_owed > 0;
}

bool lookup_take(struct lookup *lookup, struct lookup_answer *ret_answer)
{
    bool found;
    uint64_t n;

    if (read(lookup->fd, &n, sizeof(n)) < 0)
        n = 0; /* nothing new since the last time; there may still be older answers */
    pthread_mutex_lock(&lookup->lock);
    found = lookup->n_answers > 0;
    if (found) {
        copy_answer(ret_answer, &lookup->answers[lookup->first_answer]);
        lookup->first_answer = (lookup->first_answer + 1) % ANSWERS_LEN;
        lookup->n_answers--;
        lookup->n_owed--;
        __atomic_store_n(&lookup->any_answers, lookup->n_answers > 0, __ATOMIC_RELEASE);
        pthread_cond_signal(&lookup->wanted);
    }
    pthread_mutex_unlock(&lookup->lock);
    return found;
}
