/* SPDX-License-Identifier: Apache-2.0 */
/* The look-up thread; its contract stands in lookup.h. */
#include "source/lookup.h"

#include "base/hash.h"
#include "base/macro.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define QUEUE_LEN 256  /* a power of two */
#define ANSWERS_LEN 64 /* while it is full, questions wait */
#define ASKED_LEN 4096 /* processes remembered as asked, by hash: a collision asks again */

struct question {
    uint32_t tgid;
    uint64_t process_start_ns;
    uint64_t cgroup_id;
    char comm[COMM_LEN];
};

struct lookup {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    int fd;
    bool stopping;
    unsigned n_questions, first_question;
    unsigned n_answers, first_answer;
    struct question questions[QUEUE_LEN];
    struct lookup_answer answers[ANSWERS_LEN];
    struct question asked[ASKED_LEN]; /* the asking thread's own */
};

static bool next_question(struct lookup *lookup, struct question *ret_question)
{
    bool found;

    pthread_mutex_lock(&lookup->lock);
    while (!lookup->stopping && (lookup->n_questions == 0 || lookup->n_answers == ANSWERS_LEN))
        pthread_cond_wait(&lookup->wanted, &lookup->lock);
    found = !lookup->stopping;
    if (found) {
        *ret_question = lookup->questions[lookup->first_question];
        lookup->first_question = (lookup->first_question + 1) % QUEUE_LEN;
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

static void *run(void *arg)
{
    struct lookup *lookup = arg;
    struct question question;
    uint64_t one = 1;

    while (next_question(lookup, &question)) {
        struct lookup_answer answer = {.tgid = question.tgid,
                                       .process_start_ns = question.process_start_ns};
        struct arena arena = arena_over(answer.text, sizeof(answer.text));
        struct process_facts facts = {0};

        /* A process that is gone already is an answer too: its cgroup, and nothing more. */
        if (process_read(question.tgid, question.process_start_ns, &arena, &facts) == 0 ||
            (question.cgroup_id && process_read_gone(question.cgroup_id, &arena, &facts) == 0))
            answer.facts = facts;
        pthread_mutex_lock(&lookup->lock);
        copy_answer(&lookup->answers[(lookup->first_answer + lookup->n_answers++) % ANSWERS_LEN],
                    &answer);
        pthread_mutex_unlock(&lookup->lock);
        if (write(lookup->fd, &one, sizeof(one)) < 0)
            continue; /* the counter is full: the reader has reason enough to wake */
    }
    return NULL;
}

int lookup_start(struct lookup **ret_lookup)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    int r;

    if (!lookup)
        return -ENOMEM;
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

void lookup_ask(struct lookup *lookup, uint32_t tgid, uint64_t process_start_ns, const char *comm,
                uint64_t cgroup_id)
{
    struct question *asked =
        &lookup->asked[hash_pair(tgid, process_start_ns) & (ASKED_LEN - 1)];

    if (asked->tgid == tgid && asked->process_start_ns == process_start_ns &&
        memcmp(asked->comm, comm, COMM_LEN) == 0)
        return;
    pthread_mutex_lock(&lookup->lock);
    if (lookup->n_questions < QUEUE_LEN) {
        *asked = (struct question){tgid, process_start_ns, cgroup_id, {0}};
        memcpy(asked->comm, comm, COMM_LEN);
        lookup->questions[(lookup->first_question + lookup->n_questions++) % QUEUE_LEN] = *asked;
        pthread_cond_signal(&lookup->wanted);
    }
    pthread_mutex_unlock(&lookup->lock);
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
        pthread_cond_signal(&lookup->wanted);
    }
    pthread_mutex_unlock(&lookup->lock);
    return found;
}
