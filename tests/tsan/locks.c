/* For programs built with ThreadSanitizer only: locks of uninstrumented libraries in a form that it sees. First the C11
 * threads of Debian's librdkafka, made of POSIX threads.
 *
 * ThreadSanitizer (gcc 14, clang 19) knows pthread_create and pthread_mutex_lock but not thrd_create and mtx_lock,
 * which glibc doesn't build on the former's public names: a callback in a thread of librdkafka would crash the
 * sanitizer, and what librdkafka's locks order would be reported as a race. A program's own definitions go before
 * glibc's, for its libraries too.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

/* glibc's own types are made to hold these (sysdeps/nptl/threads.h). */
_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mtx_t holds a mutex");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a cnd_t holds a condition");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a thrd_t is a pthread_t");

struct start {
    thrd_start_t function;
    void *argument;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    return (void *)(intptr_t)start.function(start.argument);
}

static int result(int error) {
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

int thrd_create(thrd_t *ret_thread, thrd_start_t function, void *argument) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL)
        return thrd_nomem;
    *start = (struct start){function, argument};
    int error = pthread_create(ret_thread, NULL, run, start);
    if (error != 0)
        free(start);
    return result(error);
}

int thrd_join(thrd_t thread, int *ret_result) {
    void *value;
    int error = pthread_join(thread, &value);
    if (error == 0 && ret_result != NULL)
        *ret_result = (int)(intptr_t)value;
    return result(error);
}

int thrd_detach(thrd_t thread) {
    return result(pthread_detach(thread));
}

int mtx_init(mtx_t *mutex, int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, (type & mtx_recursive) ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int error = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result(error);
}

/* Nothing, as glibc has nothing to release: the last owner by an atomic counter, which isn't seen, destroys. */
void mtx_destroy(mtx_t *mutex) {
    (void)mutex;
}

int mtx_lock(mtx_t *mutex) {
    return result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_trylock(mtx_t *mutex) {
    return result(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex) {
    return result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

int cnd_init(cnd_t *condition) {
    return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

void cnd_destroy(cnd_t *condition) {
    pthread_cond_destroy((pthread_cond_t *)condition);
}

int cnd_signal(cnd_t *condition) {
    return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition) {
    return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    return result(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

/* POSIX read-write locks are known, but not when a library calls them that is passed over (see suppressions): called
 * from here they are seen. What a program defines goes before the sanitizer's interceptor, which has this second name.
 * Their destruction isn't seen, for the same reason as that of a mtx_t. */
#define PASS_ON(name)                                                                                                  \
    int __interceptor_##name(pthread_rwlock_t *lock);                                                                  \
    int name(pthread_rwlock_t *lock) {                                                                                 \
        return __interceptor_##name(lock);                                                                             \
    }
PASS_ON(pthread_rwlock_rdlock)
PASS_ON(pthread_rwlock_wrlock)
PASS_ON(pthread_rwlock_unlock)
